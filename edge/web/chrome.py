# SPDX-License-Identifier: Apache-2.0
"""The words around what a dock says: headings, buttons, states. What happened comes ready in the views."""

from __future__ import annotations

from typing import Final

WORDS: Final = {
    # the door's screen
    "READY": "READY",
    "ACCEPTED": "ACCEPTED",
    "HOLD": "HOLD",
    "STOP": "STOP",
    "NOLINK": "NO LINK",
    "in": "IN",
    "out": "OUT",
    "of": "of",
    "counted": "counted",
    "undo": "Undo last",
    "confirm": "Confirm",
    "clear": "Clear",
    "quantity": "Quantity",
    "sound_off": "Sound is off",
    "sound_on": "Touch the screen",
    "connecting": "Connecting to this dock.",
    "lost": "This screen has lost the dock.",
    "lost_step": "Stop. Wait for the link.",
    "kept_one": "1 scan is kept and will be sent.",
    "kept_many": "{n} scans are kept and will be sent.",
    "stale": "Scans older than 10 minutes were not sent. Scan those loads again.",
    "pieces": "That scan came in pieces. Scan it again.",
    "full": "No more scans can be kept. Wait for the link.",
    "unsent": "That was not sent. Press it again.",
    "signed_out": "This screen may not scan. Sign in with this door's token.",
    # states of devices and links
    "Up": "Up",
    "Degraded": "Degraded",
    "Down": "Down",
    "Unknown": "Unknown",
    # the record
    "ballast": "Ballast for a full disk",
    # what a supervisor may decide
    "refused": "Refuse: it goes back",
    "cleared": "Clear: nothing moved",
    "deposit": "Deposit: into suspense",
    "accepted": "Seals are in order",
}
"""Chrome in English, by key. Another language is another such mapping."""


def word(key: str) -> str:
    """The word for a key; a key without one is shown as it is, with spaces for hyphens."""
    return WORDS.get(key) or key.replace("-", " ").replace("_", " ").capitalize()
