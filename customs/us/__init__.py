# SPDX-License-Identifier: Apache-2.0
"""The rules of a United States foreign-trade zone: statuses, withdrawals, value, duty and fees. Pure."""
