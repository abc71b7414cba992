# SPDX-License-Identifier: Apache-2.0
"""Rows of the register of rules: the ledger, work orders, doors."""

from __future__ import annotations

from typing import Final

from customs.us.rules import OWN, READ, Rule, tests

_BOOKS: Final = "customs/ledger/test_attribution.py"
_KEPT: Final = "customs/ledger/test_conservation.py"
_ELECTED: Final = "customs/ledger/test_elections.py"
_ORDERS: Final = "customs/works/test_orders.py"
_ADMITTED: Final = "central/test_admission_rules.py"
_ADMITS: Final = "central/test_admitting.py"
_FETCHED: Final = "central/test_pick_up.py"
_WAITS: Final = "central/test_waiting.py"
_DUE: Final = "customs/us/test_deadlines.py"
_STATUS: Final = "customs/us/test_statuses.py"
_SHORT: Final = "customs/us/test_shortages.py"
_WORKS: Final = "central/test_works.py"
_COSTS: Final = "central/test_costing.py"
_POSTED: Final = "central/test_ledger.py"
_PLACES: Final = "customs/ledger/test_locations.py"
_STORED: Final = "central/test_locations.py"
_STOPS: Final = "edge/test_restraints.py"
_SUSPENDED: Final = "integration/test_zone_suspended.py"
_CONTENT: Final = "customs/works/test_content.py"

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
        ("customs.zone.AdmissionLine.lot", "central.ledger_facts.lot_of"),
        tests(_POSTED, "what_a_door_admits_and_lets_out_is_posted_to_its_lot"),
    ),
    Rule(
        "Ledger",
        "suspense",
        "19 CFR 146.22(a)-(c), 146.35(c)",
        READ,
        "Goods without complete papers stand in suspense, each deposit apart, without a zone status, until "
        "they are admitted under a permit's line that names their owner, product and unit, and never more "
        "than it has left.",
        ("central.admitting.Admitting.admit",),
        tests(
            _ADMITS,
            "a_load_in_suspense_becomes_the_lot_of_its_permits_line",
            "paper_and_goods_that_differ_are_told_in_words",
            "the_line_is_not_exceeded_and_the_rest_stays_in_suspense",
        ),
    ),
    Rule(
        "Ledger",
        "suspense-days",
        "19 CFR 146.35(e)",
        READ,
        "A complete 214 is due within 15 calendar days of a deposit; later it is a case. Section 146.22(c) "
        "itself names no limit.",
        ("customs.us.deadlines.suspense_ends", "central.waiting.Waiting.suspense"),
        tests(_DUE, "a_complete_paper_is_due_on_the_fifteenth_calendar_day")
        + tests(
            _WAITS,
            "suspense_is_a_balance_at_any_two_times_with_its_age",
            "goods_too_long_in_suspense_are_a_case_until_they_are_admitted_or_settled",
        ),
    ),
    Rule(
        "Ledger",
        "suspense-discrepancy",
        "19 CFR 146.22(b), 146.37(c)",
        READ,
        "What stays in suspense when its papers have come, and exceeds what admission lines have left, is a "
        "case.",
        ("central.waiting.Waiting.cases",),
        tests(_WAITS, "what_came_beyond_its_papers_is_a_case_until_a_paper_covers_it"),
    ),
    Rule(
        "Ledger",
        "direct-papers",
        "19 CFR 146.40(a)(5)",
        OWN,
        "The papers of a direct delivery reach the port director within two working days; we count from the "
        "pick-up where the text counts from the arrival.",
        ("customs.us.deadlines.papers_due", "central.waiting.Waiting.in_transit"),
        tests(_DUE, "papers_are_due_on_the_second_working_day_without_weekends_and_holidays")
        + tests(_WAITS, "goods_on_their_way_are_told_with_the_day_their_papers_are_due"),
    ),
    Rule(
        "Ledger",
        "direct-discrepancy",
        "19 CFR 146.40(a)(3), (b)(1), 146.37(c)(2)",
        READ,
        "What was picked up and has not arrived, and what arrived beyond it, are cases; a report is due "
        "within 20 days of admission.",
        ("customs.us.deadlines.discrepancy_due", "central.waiting.Waiting.cases"),
        tests(
            _WAITS,
            "what_never_arrives_is_a_case_until_it_comes_or_was_never_fetched",
            "what_arrives_beyond_its_pick_up_is_a_case_until_the_pick_up_is_told_in_full",
        )
        + tests(_DUE, "a_discrepancy_is_reported_within_twenty_days"),
    ),
    Rule(
        "Ledger",
        "picked-up",
        "19 CFR 146.40(b), 146.39(c)(1)-(3)",
        READ,
        "Goods that the operator itself fetches in its district are in the zone legally from their pick-up, "
        "if they may be delivered directly, and stand apart from the stock until a door admits them.",
        ("central.admitting.Admitting.pick_up", "customs.us.matrix.direct_delivery"),
        tests(
            _FETCHED,
            "from_the_pick_up_to_the_door_goods_are_legally_in_and_physically_away",
            "what_may_not_be_fetched_is_refused_in_words",
            "an_undone_pick_up_never_was_and_what_arrived_stays",
        )
        + tests(
            _BOOKS,
            "what_was_picked_up_arrives_with_its_old_place_and_what_was_not_is_admitted_as_it_arrives",
        ),
    ),
    Rule(
        "Ledger",
        "location",
        "19 CFR 146.23(b)(1)",
        READ,
        "The inventory records specify the location of goods by zone lot number or unique identifier: every "
        "load has its place at any two times, and over all places goods sum to what is on the floor.",
        ("customs.ledger.locations.effect", "central.storing.Storing.put_away"),
        tests(
            _PLACES,
            "any_order_of_arrival_gives_the_places_of_the_oracle_at_any_two_times",
            "a_planted_bug_is_found",
        )
        + tests(_STORED, "over_all_places_goods_sum_to_the_floor_at_any_two_times"),
    ),
    Rule(
        "Ledger",
        "picked-lot",
        "19 CFR 146.23(a)(2), 146.23(b)(1)",
        OWN,
        "A location is of the unique identifier and of the lot that was physically picked; the lot that FIFO "
        "attributes goods to may be another, and both are kept.",
        ("customs.ledger.locations.door_place", "customs.ledger.elections.named_lot"),
        tests(_STORED, "under_fifo_the_picked_lot_has_the_place_and_the_attributed_one_does_not"),
    ),
    Rule(
        "Ledger",
        "admitted-status",
        "19 CFR 146.41-146.44; 15 CFR 400.14(e)",
        READ,
        "No line of an admission is imported in a status that such goods may not have on their day.",
        ("customs.tables.judging.judge", "customs.us.statuses.admission"),
        tests(_ADMITTED, "the_day_before_a_program_begins_is_free_and_its_first_day_is_not"),
    ),
    Rule(
        "Ledger",
        "status-act",
        "19 CFR 146.41-146.44",
        READ,
        "People change a status only as its rules let them, and the goods become a lot of their own.",
        ("central.bookkeeping.Bookkeeping.change_status",),
        tests(_STATUS, "only_these_changes_are_allowed", "lost_identity_needs_a_decision")
        + tests(_WORKS, "what_was_made_gets_no_privileged_status_any_more"),
    ),
    Rule(
        "Ledger",
        "constructive",
        "19 CFR 146.61",
        READ,
        "Goods of an accepted entry wait apart from the stock; a weekly entry's are entered as they leave.",
        ("central.bookkeeping.Bookkeeping.accept",),
        tests(_ELECTED, "a_rejected_entry_restores_status_and_layer_of_goods_that_were_constructively_out"),
    ),
    Rule(
        "Ledger",
        "elections",
        "19 CFR 146.23(a)(2)",
        READ,
        "A method is elected beforehand, by an authority, and never backdated.",
        ("central.bookkeeping.Bookkeeping.elect", "customs.ledger.elections.why_refused"),
        tests(_ELECTED, "an_election_is_refused_backwards_twice_and_without_authority"),
    ),
    Rule(
        "Ledger",
        "adjustments",
        "19 CFR 146.25, 146.53(a)(3)",
        READ,
        "Every shortage and overage is recorded, whether or not it is reported.",
        ("central.bookkeeping.Bookkeeping.adjust", "customs.us.shortages.judge"),
        tests(_SHORT, "missing_brackets_of_the_example_zone"),
    ),
    Rule(
        "Ledger",
        "restated-content",
        "19 CFR 146.65(a)(1)",
        READ,
        "Goods whose status was changed keep what their lots declared; privileged ones owe by the day of the "
        "change in the zone.",
        ("central.contents.Contents.restated",),
        tests(
            _COSTS,
            "goods_owe_the_rate_of_entry_unless_they_were_privileged_before",
            "the_day_of_filing_is_the_zones_own",
        ),
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
        "made-status",
        "19 CFR 146.64(a)",
        OWN,
        "What was made stands in the strictest status of what is in it; it owes by each part's own status.",
        ("customs.works.orders.made_status",),
        tests(_ORDERS, "what_is_made_stands_in_the_strictest_status_of_what_is_in_it"),
    ),
    Rule(
        "Work orders",
        "content-net",
        "19 USC 81c(a), first proviso",
        READ,
        "A made lot contains what was drawn less its waste, which all layers bear alike (our reading).",
        ("customs.works.content.content", "customs.works.content.lots_content"),
        tests(
            _CONTENT,
            "the_mixed_week_issues_408_and_357_and_owes_on_400_and_350",
            "scrap_taken_from_the_oldest_layer_alone_is_noticed",
            "the_mixed_weeks_pumps_owe_3075_on_two_lines",
        ),
    ),
    Rule(
        "Work orders",
        "relative-value",
        "19 USC 81c(a), first proviso",
        READ,
        "Products that came out together share content by their relative value at separation.",
        ("customs.works.content.split",),
        tests(_CONTENT, "co_products_share_by_relative_value"),
    ),
    Rule(
        "Work orders",
        "recovered-waste",
        "19 CFR 146.42(b)",
        READ,
        "Scrap of a work order stands in the status that waste has: recovered, it is non-privileged.",
        ("customs.works.orders.report", "customs.us.statuses.waste_status"),
        tests(_ORDERS, "waste_recovered_from_manufacture_loses_privilege_and_waste_of_a_casualty_keeps_it"),
    ),
    Rule(
        "Work orders",
        "issued-lot",
        "19 CFR 146.23(a)",
        OWN,
        "Where an election has goods attributed by their lots, so has a work order: what it takes, what goes "
        "back and what it made is of the lot that is named or that the load is of.",
        ("customs.works.orders.start", "customs.works.orders.report"),
        tests(
            "central/test_issue_lots.py",
            "an_issue_takes_the_lot_that_its_load_is_of",
            "in_line_the_same_issue_takes_the_oldest",
            "a_made_pallet_leaves_as_the_lot_that_it_was_made_as",
        ),
    ),
    Rule(
        "Work orders",
        "report-corrected",
        "19 CFR 146.21(a)(5), 146.52(d)",
        OWN,
        "A wrong report is put right by an act of its own: the books keep both, the new one as of the "
        "report's instant or, where a pinned cut contains it, in the open period; goods that have left stay "
        "made.",
        ("customs.works.orders.correct",),
        tests(
            "central/test_correcting.py",
            "a_wrong_report_is_put_right_on_the_books_the_floor_and_at_the_docks",
            "what_has_left_cannot_be_corrected_away",
            "a_report_in_a_pinned_cut_is_corrected_in_the_open_period",
        ),
    ),
    Rule(
        "Doors",
        "door-status",
        "19 CFR 146.63-146.70",
        READ,
        "At the door goods leave in the ways that the withdrawal matrix gives their status.",
        ("edge.leaving.status_forbids", "customs.us.matrix.may_leave"),
        tests(_STOPS, "goods_leave_on_what_their_status_allows"),
    ),
    Rule(
        "Doors",
        "door-suspense",
        "19 CFR 146.22(c), 146.35",
        READ,
        "Goods whose papers are incomplete do not leave.",
        ("edge.leaving.status_forbids",),
        tests(_STOPS, "goods_in_suspense_leave_on_nothing"),
    ),
    Rule(
        "Doors",
        "door-five-years",
        "19 CFR 146.64(d)",
        READ,
        "Goods over five years from import do not leave for a warehouse.",
        ("edge.leaving.trouble_on",),
        tests(_STOPS, "a_warehouse_takes_goods_for_five_years_from_import"),
    ),
    Rule(
        "Doors",
        "door-quota",
        "19 CFR 132.11",
        READ,
        "Goods under a quota leave from its opening to its closing, as their permit line says.",
        ("edge.leaving.trouble_on",),
        tests(_STOPS, "quota_goods_leave_from_the_first_day_to_the_last"),
    ),
    Rule(
        "Doors",
        "door-expiry",
        "none: GS1 General Specifications, 3.4",
        OWN,
        "Goods past the day on which they may be used leave to be destroyed alone.",
        ("edge.leaving.trouble_on", "edge.leaving.has_expired"),
        tests(_STOPS, "goods_leave_on_their_last_day_and_not_after", "expired_goods_leave_to_be_destroyed"),
    ),
    Rule(
        "Doors",
        "door-holds",
        "none: orders of customs, agencies and the owner",
        OWN,
        "Goods that are held stop at every door until the hold is lifted; a suspended zone stops everything.",
        ("edge.adjudicate.judge_read", "edge.adjudicate.suspended"),
        tests(
            _STOPS,
            "all_doors_say_stop_at_once_and_are_ready_again_when_it_ends",
            "a_held_load_names_the_hold_and_passes_when_it_is_lifted",
        )
        + tests(
            _SUSPENDED,
            "held_goods_stop_at_the_door_until_the_hold_is_lifted",
            "every_door_says_stop_without_a_scan_and_goes_on_when_the_zone_is_resumed",
        ),
    ),
)
