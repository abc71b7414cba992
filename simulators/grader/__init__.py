# SPDX-License-Identifier: Apache-2.0
"""A grader: compares what was done at the doors with what the journal, the center and a subscriber hold.

Written from ARCHITECTURE.md and the documented tables alone. Shares no code with the service, not even
another simulator's, so that a common mistake cannot hide.
"""

from __future__ import annotations
