# SPDX-License-Identifier: Apache-2.0
"""Rows of the register of rules: law as data, tariff, programs, statuses, withdrawals."""

from __future__ import annotations

from typing import Final

from customs.us.rules import MEMORY, OWN, READ, Rule, tests

_LAW: Final = "customs/test_law.py"
_RATES: Final = "customs/tariff/test_rates.py"
_TEXT: Final = "customs/tariff/test_text.py"
_PROGRAMS: Final = "customs/tariff/test_programs.py"
_DUTY: Final = "customs/us/test_duty.py"
_STATUS: Final = "customs/us/test_statuses.py"
_MATRIX: Final = "customs/us/test_matrix.py"
_PLANTED: Final = "customs/us/test_planted.py"


LAW: Final = (
    Rule(
        "Law as data",
        "both-ends",
        "each row's own source",
        OWN,
        "A row is law from its first day to its last, both included.",
        ("customs.law.LawRow.holds",),
        tests(_LAW, "a_row_holds_on_both_its_ends_and_not_beside_them")
        + tests(_PLANTED, "a_last_day_that_does_not_count", "a_first_day_that_does_not_count"),
    ),
    Rule(
        "Law as data",
        "known",
        "each row's own source",
        OWN,
        "What was computed keeps its rows: later datasets change neither it nor what was known then.",
        ("customs.law.Law.one", "customs.us.assessment.assess"),
        tests(_LAW, "a_row_is_not_law_before_it_was_known")
        + tests(_DUTY, "a_row_that_is_loaded_later_changes_nothing_that_was_computed"),
    ),
    Rule(
        "Law as data",
        "no-overlap",
        "each row's own source",
        OWN,
        "Two rows of one key do not hold on one day; a later dataset may supersede from a day on.",
        ("customs.law_faults.law_faults",),
        tests(
            _LAW,
            "what_passes_the_faults_answers_every_day_once",
            "an_overlap_with_the_book_is_found_unless_it_is_superseded",
        ),
    ),
    Rule(
        "Tariff",
        "rate-codes",
        "USITC tariff database, code key, section A",
        READ,
        "Rate codes 0 to 7 are computed; 3 and 6 take the second quantity at the other rate.",
        (
            "customs.tariff.rates.duty_parts",
            "customs.tariff.rates.needs",
            "customs.tariff.rates.converted",
        ),
        tests(_RATES, "each_code_by_the_code_key", "the_third_rate_is_what_the_second_quantity_owes"),
    ),
    Rule(
        "Tariff",
        "refused-codes",
        "USITC tariff database, code key, section A",
        READ,
        "Codes 9, K, X, T and references to another heading are refused by name.",
        (
            "customs.tariff.rates.refuse_unserved",
            "customs.tariff.text.parse_rate",
            "customs.tariff.text.printed_rate",
        ),
        tests(_RATES, "other_codes_are_refused_by_name")
        + tests(_TEXT, "a_reference_is_refused_by_name", "a_text_that_is_no_rate_is_kept_and_never_computed"),
    ),
    Rule(
        "Tariff",
        "units",
        "USITC tariff database, code key, section A",
        READ,
        "A specific rate asks for a quantity in its own unit; a count never stands for a weight.",
        ("customs.tariff.rates.converted", "customs.tariff.rates.same_rate"),
        tests(_RATES, "kilograms_are_not_pieces") + tests(_TEXT, "a_rate_by_weight_asks_for_the_weight"),
    ),
    Rule(
        "Tariff",
        "columns",
        "HTSUS general note 3(a)-(b)",
        MEMORY,
        "Goods owe the general rate, or that of column 2 when their country is listed on the day.",
        (
            "customs.tariff.columns.normal_rate",
            "customs.tariff.columns.column_of",
            "customs.tariff.columns.tariff_row",
        ),
        tests(
            _PROGRAMS,
            "goods_of_a_column_2_country_owe_column_2_from_its_day",
            "goods_without_a_row_are_not_free",
            "the_finest_row_of_a_number_holds",
        ),
    ),
    Rule(
        "Tariff",
        "preferences",
        "HTSUS general note 3(c)",
        MEMORY,
        "A preference is claimed by its symbol, for its origins, while it is in force.",
        ("customs.tariff.columns.preferential_rate",),
        tests(
            _PROGRAMS,
            "a_preference_is_for_its_origins_while_it_is_in_force",
            "content_of_another_good_claims_no_preference",
        ),
    ),
    Rule(
        "Tariff",
        "same-condition",
        "C.S.D. 80-188, as the manual tells it",
        MEMORY,
        "The generalized system is for non-privileged goods that leave in the condition they came in.",
        ("customs.tariff.columns.preferential_rate",),
        tests(_PROGRAMS, "the_generalized_system_is_for_goods_that_leave_as_they_came"),
    ),
    Rule(
        "Programs",
        "program-day",
        "19 CFR 146.65(a)(1); the programs' own texts",
        READ,
        "A program looks at its own day: filing, admission or entry; goods that are not privileged at entry.",
        ("customs.tariff.programs.LawDays.of", "customs.tariff.programs.owed_programs"),
        tests(
            _PROGRAMS,
            "a_program_looks_at_its_own_day",
            "other_foreign_goods_owe_a_program_at_entry",
        )
        + tests(_PLANTED, "programs_at_the_day_of_entry"),
    ),
    Rule(
        "Programs",
        "stacking",
        "the programs' own texts, as rows tell them",
        OWN,
        "Programs stack in order; one that another applying program excludes is not owed; of two that "
        "exclude each other the first in order is.",
        ("customs.tariff.programs.stacked",),
        tests(
            _PROGRAMS,
            "an_excluded_program_is_not_owed",
            "of_two_that_exclude_each_other_the_first_in_order_is_owed",
        )
        + tests(_PLANTED, "a_program_that_ignores_exclusions"),
    ),
    Rule(
        "Programs",
        "relief",
        "a proclamation of 2019, CSMS 19-000271",
        READ,
        "Retroactive relief takes the place of a program's rate for goods filed before its day.",
        ("customs.tariff.programs.owed_programs",),
        tests(_PROGRAMS, "relief_comes_to_goods_that_were_filed_before_it"),
    ),
    Rule(
        "Programs",
        "pf-required-order",
        "EO 14195 s. 2(e)",
        READ,
        "Covered goods are admitted in privileged status, save those eligible for domestic status.",
        (
            "customs.tariff.programs.requiring_pf",
            "customs.tariff.programs.covering",
            "customs.us.statuses.admission",
        ),
        tests(_STATUS, "a_program_asks_for_privileged_status_from_its_day"),
    ),
    Rule(
        "Programs",
        "pf-required-sections",
        "the notices of Sections 232 and 301",
        MEMORY,
        "Goods under these programs are admitted in privileged status; rows say for which and from when.",
        ("customs.tariff.programs.requiring_pf",),
        tests(_STATUS, "what_a_program_excepts_is_free_to_choose"),
    ),
    Rule(
        "Programs",
        "adcvd-pf",
        "15 CFR 400.14(e)",
        READ,
        "Goods under an antidumping or countervailing duty case are admitted in privileged status.",
        ("customs.us.statuses.admission",),
        tests(_STATUS, "a_case_asks_for_privileged_status"),
    ),
    Rule(
        "Programs",
        "adcvd-scope",
        "the cases' own words",
        MEMORY,
        "The words of a case decide what it covers: its numbers suggest, people say.",
        ("customs.tariff.cases.suspects",),
        tests(_PROGRAMS, "cases_are_named_by_people_and_suspected_by_number"),
    ),
    Rule(
        "Programs",
        "adcvd-deposit",
        "19 CFR 351.211",
        MEMORY,
        "The deposit of the day of entry is owed beside the duty, for the line's producer or all others.",
        ("customs.tariff.cases.deposits",),
        tests(_PROGRAMS, "a_case_owes_its_producers_deposit_beside_the_duty"),
    ),
    Rule(
        "Programs",
        "quota-opening",
        "19 CFR 132.11(a), 132.11a",
        READ,
        "Quota goods are held until the opening; a filled absolute quota refuses them, a filled tariff-rate "
        "quota asks the higher rate.",
        ("customs.tariff.quotas.standings",),
        tests(
            _PROGRAMS,
            "a_quota_holds_admits_or_refuses",
            "goods_before_the_opening_are_not_entered",
            "goods_over_the_quota_owe_its_rate",
        ),
    ),
    Rule(
        "Programs",
        "quota-privileged",
        "19 CFR 146.65(a)(1)",
        READ,
        "Privileged goods under a tariff-rate quota owe the higher rate of the day of filing.",
        ("customs.tariff.quotas.standings", "customs.us.duty.entry_duties"),
        tests(_PROGRAMS, "privileged_goods_owe_the_rate_over_the_quota_of_their_day"),
    ),
    Rule(
        "Statuses",
        "pf-before-change",
        "19 CFR 146.41(a)-(b)",
        READ,
        "Privileged status is asked for at admission or later, before work changes the tariff number.",
        ("customs.us.statuses.change",),
        tests(_STATUS, "privileged_status_is_asked_before_a_change_of_class"),
    ),
    Rule(
        "Statuses",
        "pf-binding",
        "19 CFR 146.41(e)",
        READ,
        "Privileged status is not given up.",
        ("customs.us.statuses.change",),
        tests(_STATUS, "only_these_changes_are_allowed"),
    ),
    Rule(
        "Statuses",
        "zr-terminal",
        "19 CFR 146.44(a), (c), (d)",
        READ,
        "Any goods may become zone-restricted; none come back, save that the Board lets them be entered.",
        ("customs.us.statuses.change", "customs.us.matrix.may_leave"),
        tests(_STATUS, "only_these_changes_are_allowed")
        + tests(_MATRIX, "a_board_order_lets_restricted_goods_be_entered"),
    ),
    Rule(
        "Statuses",
        "lost-identity",
        "19 CFR 146.42(c)",
        READ,
        "Domestic goods that lost their identity become non-privileged by the port director's decision.",
        ("customs.us.statuses.change",),
        tests(_STATUS, "lost_identity_needs_a_decision"),
    ),
    Rule(
        "Statuses",
        "waste-npf",
        "19 CFR 146.42(b)",
        READ,
        "Waste of privileged goods from manipulation or manufacture is non-privileged.",
        ("customs.us.statuses.waste_status",),
        tests(_STATUS, "waste_has_its_own_rule") + tests(_PLANTED, "waste_that_stays_privileged"),
    ),
    Rule(
        "Statuses",
        "casualty-pf",
        "FTZ Manual 9.7, on C.S.D. 86-7",
        MEMORY,
        "What a casualty leaves of privileged goods stays privileged.",
        ("customs.us.statuses.waste_status",),
        tests(_STATUS, "waste_has_its_own_rule") + tests(_PLANTED, "a_casualty_that_frees_privileged_goods"),
    ),
    Rule(
        "Statuses",
        "constructive-status",
        "19 CFR 146.61",
        READ,
        "Goods for which an entry was accepted keep their status and leave under that entry alone.",
        ("customs.us.statuses.change", "customs.us.matrix.may_leave"),
        tests(_STATUS, "goods_with_an_accepted_entry_keep_their_status")
        + tests(_MATRIX, "goods_of_an_accepted_entry_leave_under_it_alone"),
    ),
    Rule(
        "Statuses",
        "no-status",
        "19 CFR 146.22(c), 146.35",
        READ,
        "Goods in suspense neither change status, nor leave, nor are worked on.",
        ("customs.us.statuses.change", "customs.us.matrix.may_leave", "customs.us.matrix.may_work"),
        tests(_STATUS, "goods_in_suspense_get_their_status_by_their_permit_alone")
        + tests(_MATRIX, "goods_in_suspense_do_not_leave"),
    ),
    Rule(
        "Withdrawals",
        "matrix",
        "19 CFR 146.41-146.44, 146.63-146.70",
        READ,
        "Each status may leave each way, or not, as one table says.",
        ("customs.us.matrix.may_leave", "customs.us.matrix.kind_forbids"),
        tests(_MATRIX, "each_cell_of_the_matrix", "the_matrix_has_a_cell_for_everything"),
    ),
    Rule(
        "Withdrawals",
        "warehouse-pf",
        "19 CFR 146.64(a)-(b)",
        READ,
        "Privileged goods and goods that contain them do not go to a bonded warehouse.",
        ("customs.us.matrix.may_leave",),
        tests(_MATRIX, "privileged_content_bars_the_warehouse_and_nothing_else"),
    ),
    Rule(
        "Withdrawals",
        "five-years",
        "19 CFR 146.64(d)",
        READ,
        "No goods are in a bonded warehouse after five years from import; the anniversary is the last day.",
        ("customs.us.matrix.in_warehouse", "customs.us.matrix.last_warehouse_day"),
        tests(_MATRIX, "the_warehouse_takes_goods_for_five_years_from_import"),
    ),
    Rule(
        "Withdrawals",
        "restricted",
        "19 CFR 146.70",
        READ,
        "Zone-restricted goods leave for export, a warehouse pending export, another zone, supplies or "
        "destruction; spirits, wine and malt liquors are not destroyed.",
        ("customs.us.matrix.may_leave",),
        tests(_MATRIX, "each_cell_of_the_matrix", "restricted_spirits_are_not_destroyed"),
    ),
    Rule(
        "Withdrawals",
        "waiting-goods",
        "19 CFR 146.71(c)",
        READ,
        "Goods that wait for removal are not worked on.",
        ("customs.us.matrix.may_work",),
        tests(_MATRIX, "entered_goods_and_goods_without_status_are_not_worked_on"),
    ),
    Rule(
        "Withdrawals",
        "work-restricted",
        "19 CFR 146.44(a)",
        OWN,
        "Zone-restricted goods are not worked on but to destroy them.",
        ("customs.us.matrix.may_work",),
        tests(_MATRIX, "entered_goods_and_goods_without_status_are_not_worked_on"),
    ),
    Rule(
        "Withdrawals",
        "weekly-excluded",
        "19 USC 1484(i)(3)",
        READ,
        "A weekly entry covers no prohibited goods, nor goods whose summary is due before release.",
        ("customs.us.matrix.may_enter_weekly",),
        tests(_MATRIX, "listed_goods_are_not_entered_weekly"),
    ),
    Rule(
        "Withdrawals",
        "direct-delivery",
        "19 CFR 146.39(c)",
        READ,
        "Direct delivery is for stable, unexamined goods that the operator owns or buys, under an approval.",
        ("customs.us.matrix.direct_delivery",),
        tests(_MATRIX, "direct_delivery_has_limits"),
    ),
)
