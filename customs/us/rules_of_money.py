# SPDX-License-Identifier: Apache-2.0
"""Rows of the register of rules: value, duty, fees, shortages."""

from __future__ import annotations

from typing import Final

from customs.us.rules import MEMORY, OWN, READ, Rule, tests

_ZONE: Final = "customs/us/test_example_zone.py"
_DUTY: Final = "customs/us/test_duty.py"
_MATRIX: Final = "customs/us/test_matrix.py"
_SHORT: Final = "customs/us/test_shortages.py"
_PUBLISHED: Final = "customs/us/test_conformance.py"
_PLANTED: Final = "customs/us/test_planted.py"
_LAW: Final = "customs/test_law.py"

MONEY: Final = (
    Rule(
        "Value",
        "dutiable-value",
        "19 CFR 146.65(b)(2)",
        READ,
        "Dutiable is the price that caused the admission with the statutory additions, less international "
        "freight and insurance and inland freight.",
        ("customs.us.valuation.dutiable", "customs.zone.Values.dutiable"),
        tests(_DUTY, "freight_and_insurance_are_no_part_of_the_value"),
    ),
    Rule(
        "Value",
        "default-value",
        "19 CFR 146.65(b)(2)",
        READ,
        "Without such a price it is the zone value less zone costs, expenses, profit and freights.",
        ("customs.us.valuation.by_default",),
        tests(_DUTY, "a_value_without_a_price_comes_from_the_zone_value"),
    ),
    Rule(
        "Value",
        "scrap-value",
        "19 CFR 146.65(b)(2)",
        READ,
        "Recoverable waste is worth what it sells for.",
        ("customs.us.valuation.scrap",),
        tests(_DUTY, "scrap_is_worth_what_it_sells_for"),
    ),
    Rule(
        "Value",
        "damage",
        "19 CFR 146.65(b)(3)",
        READ,
        "An allowance for damage lowers the value, as far as customs granted it.",
        ("customs.us.valuation.damaged",),
        tests(_DUTY, "damage_lowers_the_value_by_what_customs_allows"),
    ),
    Rule(
        "Value",
        "part-of-a-line",
        "19 CFR 146.65(b)",
        OWN,
        "A part of a line has its part of every value element, to six decimals.",
        ("customs.us.valuation.part_of",),
        tests(_DUTY, "a_part_of_a_line_has_its_part_of_every_element"),
    ),
    Rule(
        "Value",
        "whole-dollars",
        "19 CFR 159.3(a)-(b)",
        MEMORY,
        "On a summary values are whole dollars and quantities under a rate of a dollar or less whole units; "
        "the sum moves no more than its own rounding.",
        ("customs.us.valuation.whole_dollars", "customs.us.duty.foreign_bases"),
        tests(
            _DUTY,
            "whole_dollars_move_the_sum_no_more_than_its_own_rounding",
            "a_summary_rounds_value_and_low_rate_quantities",
        ),
    ),
    Rule(
        "Duty",
        "pf-day",
        "19 CFR 146.65(a)(1)",
        READ,
        "Privileged goods owe by class and rate of the day of filing in proper form.",
        ("customs.us.duty.rate_day", "customs.us.duty.entry_duties"),
        tests(_DUTY, "privileged_goods_owe_the_rate_of_their_filing")
        + tests(_ZONE, "privileged_housings_of_two_filings_owe_two_rates")
        + tests(_PLANTED, "privileged_goods_at_the_rate_of_entry"),
    ),
    Rule(
        "Duty",
        "npf-day",
        "19 CFR 146.65(a)(2)",
        READ,
        "Other foreign goods owe by class and rate as they leave, on the day of entry.",
        ("customs.us.duty.rate_day",),
        tests(_DUTY, "other_foreign_goods_owe_the_rate_of_entry")
        + tests(_PLANTED, "other_foreign_goods_at_the_rate_of_admission"),
    ),
    Rule(
        "Duty",
        "weekly-day",
        "19 CFR 146.65(a)(2), 146.63(c)(1)",
        OWN,
        "The day of entry of a weekly estimate is the estimate's, also when a rate changes in the week.",
        ("customs.us.assessment.assess",),
        tests(_ZONE, "the_weekly_entry_owes_what_the_story_says"),
    ),
    Rule(
        "Duty",
        "content",
        "19 USC 81c(a)",
        READ,
        "A good made in the zone owes by its own number on non-privileged content, by theirs on privileged "
        "content, nothing on domestic content.",
        ("customs.us.duty.entry_duties", "customs.us.matrix.lower_class"),
        tests(_DUTY, "a_good_made_in_the_zone_owes_by_its_own_number_on_other_foreign_content")
        + tests(_ZONE, "domestic_content_owes_nothing")
        + tests(_MATRIX, "only_other_foreign_goods_profit_from_a_lower_class"),
    ),
    Rule(
        "Duty",
        "net-quantity",
        "19 USC 81c(a), first proviso",
        READ,
        "Privileged duty is on the quantity used in the article, net of waste.",
        ("customs.us.duty.entry_duties",),
        tests(_ZONE, "housings_owe_on_what_the_pumps_contain_and_not_on_their_waste"),
    ),
    Rule(
        "Duty",
        "mixed-specific",
        "19 USC 81c(a)",
        OWN,
        "A made good with a specific rate and several contents is refused: no text shares its quantity.",
        ("customs.us.duty.entry_duties",),
        tests(_DUTY, "a_made_good_with_a_specific_rate_owes_once_on_its_own_quantity"),
    ),
    Rule(
        "Duty",
        "cents",
        "none found: how a summary's lines are rounded",
        OWN,
        "Duty is rounded half up to the cent once for a line of the summary; each lot's part closes to it.",
        ("customs.us.duty.entry_duties",),
        tests(
            _DUTY,
            "lots_that_owe_one_rate_are_rounded_once",
            "what_lots_owe_closes_to_what_their_lines_owe",
        ),
    ),
    Rule(
        "Duty",
        "lesser-duty",
        "19 USC 81c(a), USMCA proviso; 19 CFR 181.53, 182.53(a)(2)",
        READ,
        "Goods made in the zone for Canada or Mexico owe duty, less the lesser of the two duties on evidence "
        "within 60 days.",
        ("customs.us.export.reductions", "customs.us.export.payable_by"),
        tests(_ZONE, "pumps_to_canada_owe_what_canada_did_not_take")
        + tests(_DUTY, "evidence_counts_for_sixty_days_from_export")
        + tests(_PUBLISHED, "the_lesser_of_two_duties_as_the_regulation_shows_it"),
    ),
    Rule(
        "Duty",
        "not-reduced",
        "19 CFR 182.42; for programs the house's reading",
        OWN,
        "AD and CVD are not reduced, nor programs without drawback.",
        ("customs.us.export.reductions",),
        tests(_DUTY, "what_is_not_refunded_is_not_reduced"),
    ),
    Rule(
        "Fees",
        "mpf-base",
        "19 USC 58c(b)(8)(D)(vi)",
        READ,
        "The merchandise processing fee stands on the value of privileged and non-privileged content alone.",
        ("customs.us.fees.processing_fee",),
        tests(_ZONE, "the_fee_stands_on_foreign_content_and_not_on_what_the_zone_added")
        + tests(_PLANTED, "a_fee_on_what_the_zone_added"),
    ),
    Rule(
        "Fees",
        "mpf-limits",
        "19 CFR 24.23(b)(1)(i); 19 USC 58c(a)(9)(A), (b)(8)(A)",
        READ,
        "It is 0.3464 percent, with the least and most of the fiscal year of entry.",
        ("customs.us.fees.limits_on", "customs.us.fees.fiscal_year", "customs.us.fees.processing_fee"),
        tests(_ZONE, "the_year_of_the_fee_is_that_of_the_entry", "a_large_entry_pays_the_most")
        + tests(_PUBLISHED, "each_day_has_the_limits_of_its_year")
        + tests(_PLANTED, "a_fee_by_the_year_of_admission"),
    ),
    Rule(
        "Fees",
        "mpf-unknown-year",
        "19 CFR 24.23, preamble",
        READ,
        "A year whose limits are not on file is refused: limits never run on into the next fiscal year.",
        ("customs.us.fees.limits_on",),
        tests(_ZONE, "the_fee_of_a_year_without_limits_is_refused")
        + tests(_LAW, "a_years_limits_end_with_the_fiscal_year")
        + tests(_PLANTED, "last_years_limits_that_run_on"),
    ),
    Rule(
        "Fees",
        "mpf-supplement",
        "FTZ Manual, section 9 on weekly entries",
        MEMORY,
        "The limits are on the entry; each supplement pays a fee of its own.",
        ("customs.us.assessment.supplements_fee",),
        tests(_ZONE, "a_supplement_pays_a_fee_of_its_own"),
    ),
    Rule(
        "Fees",
        "mpf-exempt",
        "19 CFR 24.23(c)(1)-(3), (5)-(15)",
        READ,
        "Chapter 98, save two numbers, and originating goods bear none; other lines of the entry do. The row "
        "of the agreement of 2020 was not seen.",
        ("customs.us.fees.processing_fee",),
        tests(
            _DUTY,
            "originating_goods_bear_no_fee_and_others_on_the_entry_do",
            "chapter_98_bears_no_fee_and_its_two_exceptions_are_refused",
        ),
    ),
    Rule(
        "Fees",
        "mpf-farm",
        "19 CFR 24.23(c)(4); 19 USC 58c(b)(8)(D)(v)",
        READ,
        "Agricultural products of the United States packed in the zone pay on their container alone.",
        ("customs.us.fees.processing_fee",),
        tests(_DUTY, "us_farm_goods_packed_in_the_zone_pay_on_their_container"),
    ),
    Rule(
        "Fees",
        "mpf-surcharge",
        "19 CFR 24.23(b)(1)(ii)",
        READ,
        "An entry filed by hand pays a surcharge above the most.",
        ("customs.us.fees.processing_fee",),
        tests(_DUTY, "an_entry_on_paper_pays_a_surcharge_above_the_most"),
    ),
    Rule(
        "Fees",
        "mpf-08",
        "CSMS 01-000057",
        MEMORY,
        "The fee of an entry of type 08 is never reduced.",
        ("customs.us.assessment.assess",),
        tests(_ZONE, "pumps_to_canada_owe_what_canada_did_not_take"),
    ),
    Rule(
        "Fees",
        "hmf",
        "19 CFR 24.24(a), (e)(2)",
        READ,
        "The harbor fee is owed on what a vessel unladed at a listed port, whatever the status; the truck at "
        "the door is not asked.",
        ("customs.us.harbor.harbor_fee",),
        tests(_ZONE, "the_harbor_fee_is_owed_on_what_vessels_brought")
        + tests(
            _DUTY,
            "the_harbor_fee_asks_for_vessel_and_listed_port",
            "the_harbor_fee_does_not_ask_for_the_status",
        )
        + tests(_PLANTED, "a_harbor_fee_by_the_truck_at_the_door", "a_harbor_fee_on_what_came_by_air"),
    ),
    Rule(
        "Fees",
        "hmf-quarter",
        "19 CFR 24.24(d)(4), (e)(2)(iii)",
        READ,
        "It is paid by the quarter, and not when the goods that bear it are worth 10,000 dollars or less. "
        "Shipments that could be entered informally (24.24(d)(3)) are left to the one who pays.",
        ("customs.us.harbor.harbor_quarter", "customs.us.harbor.harbor_fee"),
        tests(_DUTY, "a_small_quarter_pays_nothing"),
    ),
    Rule(
        "Shortages",
        "report",
        "19 CFR 146.53(a)(3)",
        READ,
        "A shortage is reported from one percent of the lot or identifier and 100 dollars of duty and tax.",
        ("customs.us.shortages.judge",),
        tests(
            _SHORT,
            "missing_brackets_of_the_example_zone",
            "both_limits_must_be_reached",
            "the_share_is_of_the_identifier_where_lots_are_not_kept",
        )
        + tests(_PLANTED, "one_percent_or_a_hundred_dollars"),
    ),
    Rule(
        "Shortages",
        "report-always",
        "19 CFR 146.53(a)(1)-(2), (b)",
        READ,
        "Theft and goods not properly admitted are always reported; domestic goods without a permit are "
        "exempt save for theft.",
        ("customs.us.shortages.judge",),
        tests(_SHORT, "theft_is_always_reported", "goods_not_admitted_are_always_reported"),
    ),
    Rule(
        "Shortages",
        "overage",
        "19 CFR 146.53(d)",
        READ,
        "An overage gets a 214 or an entry within five days.",
        ("customs.us.shortages.judge",),
        tests(_SHORT, "an_overage_gets_its_papers_within_five_days"),
    ),
)
