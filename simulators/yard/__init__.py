# SPDX-License-Identifier: Apache-2.0
"""A yard: trucks, pallets, labels and their faults, played at a dock's doors from a seeded script.

The script carries the truth: what each scan must come to, written down by whoever tells the story, never
computed by a rule of the service.
"""

from __future__ import annotations
