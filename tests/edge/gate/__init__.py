# SPDX-License-Identifier: Apache-2.0
"""Proofs of the gate."""
