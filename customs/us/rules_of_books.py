# SPDX-License-Identifier: Apache-2.0
"""Rows of the register of rules: the ledger, work orders, doors."""

from __future__ import annotations

from typing import Final

from customs.us.rules import OWN, READ, Rule, tests

_BOOKS: Final = "customs/ledger/test_attribution.py"
_KEPT: Final = "customs/ledger/test_conservation.py"
_ELECTED: Final = "customs/ledger/test_elections.py"
_ORDERS: Final = "customs/works/test_orders.py"

BOOKS: Final = (
    Rule(
        "Ledger",
        "all-accounted",
        "19 CFR 146.21(a)",
        READ,
        "Every lot's accounts sum to zero in both units, and goods in the zone are never below zero; what "
        "exceeds them is a case.",
        ("customs.ledger.balances.faults", "customs.ledger.facts.holds_goods"),
        tests(
            _KEPT,
            "ten_thousand_movements_conserve_every_lot_and_equal_their_replays",
            "a_planted_bug_is_found",
        )
        + tests(_BOOKS, "what_exceeds_the_stock_of_its_moment_is_overdrawn_and_eats_no_later_layer"),
    ),
    Rule(
        "Ledger",
        "fifo",
        "19 CFR 146.23(a)",
        OWN,
        "Goods leave first in, first out, within one owner, product and status. That FIFO stays within a "
        "status is an election of the zone; the regulation says that a method is authorized and kept to.",
        ("customs.ledger.attribution.settle", "customs.ledger.elections.elected"),
        tests(_BOOKS, "any_order_of_arrival_gives_the_books_of_the_oracle", "a_planted_bug_is_found")
        + tests(_ELECTED, "an_election_is_refused_backwards_twice_and_without_authority"),
    ),
    Rule(
        "Ledger",
        "as-of",
        "19 CFR 146.23(b), 146.25",
        READ,
        "A balance can be asked as of any day, and as it was known on any other; a pinned cut never changes.",
        ("customs.ledger.balances.balances",),
        tests(
            _BOOKS,
            "as_of_a_time_the_books_are_those_of_a_replay_to_it",
            "a_pinned_cut_never_changes_and_late_facts_are_booked_after_it",
        ),
    ),
    Rule(
        "Ledger",
        "rejected-entry",
        "19 CFR 146.61",
        OWN,
        "A rejected entry brings goods back in their status; that their layer comes back is our reading.",
        ("customs.ledger.corrections.compensation",),
        tests(_ELECTED, "a_rejected_entry_restores_status_and_layer_of_goods_that_were_constructively_out"),
    ),
    Rule(
        "Ledger",
        "lot-number",
        "19 CFR 146.22(a), 146.23(a)(1)",
        READ,
        "Goods stand under a zone lot number that names the admission and its line.",
        ("customs.zone.AdmissionLine.lot",),
        tests(_KEPT, "ten_thousand_movements_conserve_every_lot_and_equal_their_replays"),
    ),
    Rule(
        "Work orders",
        "activity-permit",
        "19 CFR 146.52(a)",
        READ,
        "Goods are worked on under an approved form 216 that covers the activity, the zone and the day.",
        ("customs.works.permits.ActivityPermit.faults", "customs.works.orders.start"),
        tests(_ORDERS, "nothing_starts_without_an_active_permit_for_manufacture_in_this_zone"),
    ),
    Rule(
        "Work orders",
        "production-authority",
        "15 CFR 400.14(a)-(b), 400.22(b)",
        READ,
        "Production needs the Board's authority for the product and each foreign input, at six digits.",
        ("customs.works.orders.start",),
        tests(_ORDERS, "nothing_starts_without_an_authority_that_names_the_product_and_each_foreign_input"),
    ),
    Rule(
        "Work orders",
        "recovered-waste",
        "19 CFR 146.42(b)",
        READ,
        "Waste that manufacture recovers from privileged goods is a non-privileged lot.",
        ("customs.works.orders.waste_status",),
        tests(_ORDERS, "waste_recovered_from_manufacture_loses_privilege_and_waste_of_a_casualty_keeps_it"),
    ),
)
