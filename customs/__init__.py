# SPDX-License-Identifier: Apache-2.0
"""May it pass, what is owed, what comes back: customs' papers and rules, exact and pure."""
