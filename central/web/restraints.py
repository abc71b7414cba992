# SPDX-License-Identifier: Apache-2.0
"""The forms by which people suspend the zone and hold goods; what they do is `central.restraining`."""

from __future__ import annotations

from typing import Final

from central import restraining
from central.web.fields import BY, NOTE_LENGTH_MAX, Field, Form

RESTRAINTS: Final = (
    Form(
        "/suspend",
        "Suspend the zone",
        "For a fire inspection, an order of customs, a strike: nothing may cross any door.",
        "Every door says STOP as soon as its dock hears of it, without a scan, and goes on when the zone is "
        "resumed. A dock that is off the network cannot hear it: stop that one by hand.",
        "Suspend the zone",
        restraining.Suspend,
        (Field("reason", "Why", "note", "It stands on the doors' screens.", length_max=NOTE_LENGTH_MAX), BY),
    ),
    Form(
        "/resume",
        "Resume the zone",
        "The zone is not suspended any more.",
        "The doors are ready again as soon as their docks hear of it. Holds on goods stay.",
        "Resume the zone",
        restraining.Resume,
        (Field("note", "What was found", "note", length_max=NOTE_LENGTH_MAX), BY),
    ),
    Form(
        "/hold",
        "Hold goods",
        "Goods are meant that fit all that you name; leave the rest empty.",
        "They are a STOP at every door as soon as its dock hears of it. What crossed at a dock that did not "
        "know yet is a case.",
        "Hold them",
        restraining.PutHold,
        (
            Field(
                "kind",
                "Who holds them",
                "choice",
                choices=(
                    ("agency", "an agency: they move neither in nor out"),
                    ("quality", "the operator, for their quality: they do not leave"),
                ),
            ),
            Field(
                "agency",
                "Agency",
                hint="As doors say it; Customs if you leave it empty.",
                length_max=restraining.AGENCY_LENGTH_MAX,
                may_be_empty=True,
            ),
            Field("owner", "Owner", may_be_empty=True),
            Field("gtin", "Product", hint="GTIN of 14 digits", length_max=14, may_be_empty=True),
            Field("lot", "Lot of the product", length_max=20, may_be_empty=True),
            Field("load", "One load", hint="Its SSCC", length_max=120, may_be_empty=True),
            Field("reason", "Why", "note", "It stands on the doors' screens.", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
    Form(
        "/lift-hold",
        "Lift a hold",
        "The goods may move again, if their papers say so and no other hold stands on them.",
        "Doors let them pass as soon as their docks hear of it.",
        "Lift the hold",
        restraining.LiftHold,
        (
            Field("hold", "Hold", "told"),
            Field("note", "What was found", "note", length_max=NOTE_LENGTH_MAX),
            BY,
        ),
    ),
)
