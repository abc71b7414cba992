# SPDX-License-Identifier: Apache-2.0
"""The forms by which people declare locations and put loads away; what they do is `central.storing`."""

from __future__ import annotations

from typing import Final

from central import storing
from central.web.fields import BY, NOTE_LENGTH_MAX, Field, Form

_HAPPENED: Final = Field(
    "happened",
    "When",
    hint="Such as 2026-06-01T12:00:00Z; now if you leave it empty.",
    length_max=40,
    may_be_empty=True,
)

STORING: Final = (
    Form(
        "/declare-location",
        "Declare a location",
        "A shelf, a bay, a yard: any place whose label can be scanned. Many at once come by import.",
        "Goods may be put there from now on. A name that there is gets the new description.",
        "Declare it",
        storing.Declare,
        (
            Field(
                "name",
                "Name",
                hint="As on its label: up to 40 letters, digits and . _ / -",
                length_max=40,
            ),
            Field("description", "What people call it", length_max=300, may_be_empty=True),
            BY,
        ),
    ),
    Form(
        "/put-away",
        "Put loads away",
        "Scan the place, then each load that stands there; then the next place and its loads.",
        "Every load stands at its place from that instant on, and leaves the zone from there. A load that "
        "the books do not have then is a case until its dock has told of it.",
        "Put them away",
        storing.Store,
        (
            Field(
                "to",
                "Where the first loads stand",
                hint="Leave it empty if the list begins with a place.",
                length_max=100,
                may_be_empty=True,
            ),
            Field("scanned", "Scanned list, a label a line", "lines", length_max=60_000),
            Field(
                "source",
                "Only what stood at",
                hint="For a label without a serial number that stands at several places.",
                length_max=100,
                may_be_empty=True,
            ),
            Field("quantity", "Only so many of it", length_max=20, may_be_empty=True),
            _HAPPENED,
            Field("note", "Note", length_max=300, may_be_empty=True),
            BY,
        ),
    ),
    Form(
        "/correct-put-away",
        "A put-away was wrong",
        "For loads that were put somewhere else than was said, or not at all. Where they have been put since "
        "stays as it was told.",
        "The books have them there from that instant on, and what follows from it. What was known before "
        "stays known.",
        "It was so",
        storing.CorrectPutAway,
        (
            Field("put_away", "Entry of the put-away", "told"),
            Field(
                "load",
                "Load",
                hint="All that it told of, if you leave it empty.",
                length_max=400,
                may_be_empty=True,
            ),
            Field(
                "to",
                "Where it was put",
                hint="Nowhere, if you leave it empty.",
                length_max=100,
                may_be_empty=True,
            ),
            Field("quantity", "Only so many of it", length_max=20, may_be_empty=True),
            Field("note", "Why", "note", "What you found, for the record.", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/close-location",
        "Close a location",
        "For a place that goods are not to be put at any more: a broken rack, a bay that is given up.",
        "What would be put there from that instant on is refused. What stands there stays on the books until "
        "it is put elsewhere.",
        "Close it",
        storing.CloseLocation,
        (
            Field("name", "Location", "told", length_max=100),
            Field(
                "staying",
                "Loads that stand there and stay",
                hint="None, if you leave it empty.",
                length_max=10,
                may_be_empty=True,
            ),
            _HAPPENED,
            Field("note", "Why", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/open-location",
        "Open a location again",
        "For a place that was closed and is in use again.",
        "Goods may be put there from that instant on.",
        "Open it",
        storing.OpenLocation,
        (
            Field("name", "Location", "told", length_max=100),
            _HAPPENED,
            Field("note", "Why", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
)
