# SPDX-License-Identifier: Apache-2.0
"""The zone's ledger: goods by owner, lot and status, in double entry and at two times. Pure."""
