# SPDX-License-Identifier: Apache-2.0
"""The center: keeps every node's log and its own, and folds them into the zone's books on PostgreSQL."""
