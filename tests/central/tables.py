# SPDX-License-Identifier: Apache-2.0
"""Customs data of the goods that tests move, one row a table."""

from __future__ import annotations


def customs_data() -> dict[str, dict[str, str]]:
    """Rows by table: a product, its rate, the fee's limits of FY2026, and the line of its 214."""
    held = {"valid_from": "2026-01-01", "source": "example zone", "mark": "example"}
    return {
        "customs-product": {
            "gtin": "09521999001058",
            "owner": "Example User",
            "hts": "8205",
            "origin": "TW",
            "unit": "EA",
            "customs_unit": "NO",
            "factor": "1",
            "description": "Hand tools",
            "valid_from": "2026-01-01",
        },
        "tariff": {
            "hts": "8205",
            "column": "general",
            "code": "4",
            "specific": "0.03",
            "unit1": "NO",
            "advalorem": "0.05",
            **held,
        },
        "fee-limits": {
            "fiscal_year": "2026",
            "rate": "0.003464",
            "minimum": "33.58",
            "maximum": "651.50",
            **held,
            "valid_from": "2025-10-01",
        },
        "admission-line": {
            "document": "A214",
            "line": "1",
            "owner": "Example User",
            "product": "09521999001058",
            "status": "NPF",
            "quantity": "2500",
            "unit": "EA",
            "customs_quantity": "2500",
            "customs_unit": "NO",
            "hts": "8205",
            "origin": "TW",
            "import_date": "2026-05-20",
            "price": "30000",
            "mode": "vessel",
            "port_unlading": "9901",
        },
    }
