# SPDX-License-Identifier: Apache-2.0
"""What is made in the zone: bills of material, work orders, and what a finished lot contains. Pure."""
