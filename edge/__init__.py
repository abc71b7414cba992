# SPDX-License-Identifier: Apache-2.0
"""The dock service: reads to passages, decisions, journal, people."""
