# SPDX-License-Identifier: Apache-2.0
"""Tables of customs data from people's files: rows of many kinds, all of them, or every fault at once."""
