# SPDX-License-Identifier: Apache-2.0
"""What the tariff says of goods on a day: rates, columns, preferences, programs, cases, quotas. Pure."""
