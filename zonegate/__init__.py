# SPDX-License-Identifier: Apache-2.0
"""The command line: the one room that may import all the others. Holds the version, no business rule."""

from __future__ import annotations

__version__ = "0.1.0"
