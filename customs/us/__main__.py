# SPDX-License-Identifier: Apache-2.0
"""`python -m customs.us`: the page of rules, as `./dev rules` writes it."""

from __future__ import annotations

import sys

from customs.us.rules import page, register

if __name__ == "__main__":
    sys.stdout.write(page(register()))
