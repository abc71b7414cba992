# SPDX-License-Identifier: Apache-2.0
"""A world in memory around the real classes of the record: machines, a center, people, and every fault.

Only stores, clock, chance and network are made here; what is decided is decided by `sync` and `edge`.
"""
