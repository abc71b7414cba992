# SPDX-License-Identifier: Apache-2.0
"""The data identifiers of ASC MH10, as data: what each one means and what its value may look like.

One row an identifier or a range of them: the identifier, the format of its value, the field of a label that
it fills (`-` for none), and its meaning. A format is a character class with lengths and at most one check:
`N` digits, `A` capital letters, `C` both, `D` a decimal number, `X` visible ASCII and blanks; `X` alone is
any length. Reserved identifiers and those of categories A, G, O, X and Y have no row.

Facts: ANSI MH10.8.2 (continuous maintenance, 2021 with the additions of 2025), which ISO/IEC 15418 names.
The standard asks for little more than printable characters of most values, and so does this table: part
numbers in use hold `#`, `/`, lower case and blanks. May not know which carrier a value came in.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .di_checks import CHECKS

__all__ = ["DATA_IDENTIFIERS", "DataIdentifier", "split_identifier"]

VALUE_LENGTH_MAX = 1000
"""No format gives a longer one; the longest values in use are addresses and free text."""

_ROWS = """
B          X            -                  container type
1B         X            container          returnable container
2B         X            container          gas cylinder
3B         X            container          motor freight equipment
4B         X4..15       carrier            SCAC, and a trailer
5B         X1..35       container          receptacle asset
7B         C11,container container         freight container, ISO 6346
8B         C3           -                  owner of a returnable container
9B         C4           -                  container size and type
10B        C4           -                  container ownership
11B        X            -                  van number
12B        N1           -                  check digit of a van number
13B        N5           -                  container number, last five digits
14B        A1           -                  tag status
15B        X            -                  dangerous cargo class
16B        X4           -                  UN number of dangerous goods
17B        X1..35       -                  vessel or train
18B        X10          -                  IMO number of a vessel
19B        X1..18       -                  voyage
20B        A2,country   -                  vessel's country
21B        X            -                  electronic seal
22B        X11..13      entry              customs entry number and type
23B        X            -                  surety
24B        X            -                  foreign port of lading
25B        X1..35       -                  party, ISO 17364
26B-28B    X1..50       container          unique returnable transport item
29B        X1..50       container          unique returnable packaging item
30B        X2..35       -                  type of packaging item
31B        X6..35       -                  unique packaging number
55B        X1..50       container          unique returnable packaging item
C          X            -                  customer's item code, continued
1C         X            -                  supplier's traceability code, continued
2C         X            -                  supplier's serial number, continued
3C         X            -                  free text, continued
4C         X            -                  transaction reference, continued
5C         X            -                  supplier's item code, continued
D          N6,yymmdd    date               date
1D         N6,ddmmyy    date               date
2D         N6,mmddyy    date               date
3D         N4,yddd      date               date
4D         N5,yyddd     date               date
5D         X9,yymmdd    date               date and its kind
6D         X11,yyyymmdd date              date and its kind
7D         N4,mmyy      date               month
8D         X14..15      -                  event and time
9D         X            date               date in a form agreed between partners
10D        N4,yyww      date               week
11D        N6,yyyyww    date               week
12D        N8,yyyymmdd  date               date
13D        N8,weeks     -                  oldest and newest week of manufacture
14D        N8,yyyymmdd  expires            expiry date
15D        N8,ddmmyyyy  expires            expiry date
16D        N8,yyyymmdd  produced           production date
17D        N8,ddmmyyyy  produced           production date
18D-19D    N12,minute   -                  tag activated, deactivated
20D        N8,ddmmyyyy  -                  inspection date
21D        X            -                  required delivery date
22D        N12,minute   -                  time of recording
23D        X4..24       -                  date and time, UTC
24D        X            -                  date as an issuing agency qualifies it
25D        N8,yyyymmdd  best_before        best before date
26D-27D    N8,yyyymmdd  -                  first freeze date, harvest date
28D        N16,days     -                  harvest dates, first and last
E          A2           -                  restricted substances
1E         X            -                  air pressure
2E-3E      D1..5        -                  highest and lowest temperature
4E-5E      N1..2        -                  highest and lowest humidity
6E         D1..5        -                  temperature of a refrigerated container
10E-11E    X            -                  time and temperature index
12E        X            -                  packaging material and weight
13E        X1..2        -                  moisture sensitivity level
F          X            -                  looping header
1F         X            -                  parent
3F         X            -                  number of children
4F         X            -                  page of several
5F         X            -                  children
H          X1..60       -                  party's name
1H         X            -                  employee
2H         N9           -                  social security number, U.S.
3H-5H      X            -                  person
6H         X1..35       -                  party's name, second line
7H         X1..35       -                  telephone
8H         X3..35       -                  e-mail
9H         X10..12      -                  consignee's number
10H-11H    X            -                  person
12H        X2..3        -                  military grade
15H        X3..22       -                  national identification number
25H        X            -                  unique person
26H        X            -                  unique person and role
I          X            vehicle            vehicle identification number
2I         X            vehicle            vehicle identification number, abbreviated
4I         X            vehicle            vehicle and its registration
5I         X            vehicle            vehicle in production
J          C1..35,plate licence_plate      licence plate
1J         C1..35,plate licence_plate      licence plate of an unbreakable unit
2J         C1..35,plate licence_plate      licence plate of several packages
3J         C1..35,plate licence_plate      licence plate of an unbreakable unit, with EDI
4J         C1..35,plate licence_plate      licence plate of several packages, with EDI
5J         C1..20,plate licence_plate      licence plate of a mixed load
6J         C1..20,plate licence_plate      licence plate of a master load
7J         X            -                  vehicle registration
8J         N9           -                  maritime mobile service identity
K          X            order              customer's order
1K         X            supplier_order     supplier's order
2K         X            shipment           bill of lading of the shipper
3K         X            shipment           bill of lading of the carrier
4K         X            order_line         line of the customer's order
5K         X            release            release against an order
6K         X            -                  PRO number of a carrier
7K         X            -                  mode of transport
8K         X            contract           contract
9K         X            -                  transaction reference
10K        X            invoice            invoice
11K        X            packing_list       packing list
12K        X5..29       -                  SCAC and PRO number
13K        X5..16       shipment           SCAC and bill of lading
14K        X3..61       order_and_line     order and line, joined by +
15K        X            -                  kanban
16K-19K    X            -                  delivery, check, reference, case
20K-22K    X            -                  license, customer's data, authentication
25K-26K    X            -                  unique grouping of transport units
27K        X1..35       -                  quotation
L          X            -                  storage location
1L         X            -                  location
2L         X            ship_to            ship to
3L         X            ship_from          ship from
4L         A2,origin    origin             country of origin
5L         X            -                  ship for
6L         X            -                  route
7L         C6           -                  DoDAAC
8L-9L      X            -                  port of embarkation, debarkation
11L-13L    X5..27       -                  location by coordinates
15L        X5..27       -                  ship for, by coordinates
16L-17L    X1..60       -                  where a tag was activated, deactivated
18L        X2..12       -                  fishing area
20L-24L    X            -                  internal location, first to fifth level
25L        X1..35       -                  unique location
26L        X            -                  location code, UPU
27L        X            -                  UN/LOCODE of an event
28L-29L    X1..35       -                  street, city
30L        X1..9        -                  part of a country
31L        X4..11       -                  postal code
32L        A2,country   -                  country
33L-34L    X            -                  URL
35L-36L    X            -                  approval number of a site
51L-52L    X1..9        -                  postal code, ship from and to
54L-55L    X1..12       -                  postal code and country, ship from and to
10M-14M    X            -                  form data, U.S. forces
N          X13..16      stock_number       national stock number
1N         X            -                  chemical industry data
3N-8N      X            -                  industry codes
10N-12N    X            -                  industry codes
15N        X            -                  industrial internet identifier
P          X            part               customer's part number
1P         X            supplier_part      supplier's part number
2P         X            revision           revision of an item
3P         N13..14      -                  GS1 item with supplement
4P-5P      X            -                  GS1 item portion, freight class
6P         X            -                  supplier and item
7P         X            -                  CLEI
8P         N14,gtin     gtin               GTIN
9P-10P     X            -                  DUNS and item, hazardous material
11P        X10          -                  CLEI, ten characters
12P-17P    X            -                  document type, vehicle codes, GS1 supplier and item
18P-19P    X            -                  supplier and item, component of an item
20P-24P    X            -                  customer's part, first to fifth level
25P        X,agency     unique_part        agency, company and part
26P        X            -                  part of the next higher assembly
27P        X7..13,tariff tariff            tariff number
28P        X1..100      -                  cargo name
29P        N5           -                  medical device nomenclature
30P        X            supplier_part_level supplier's part, first level
31P-34P    X            -                  supplier's part, second to fifth level
40P        X            -                  safety data sheet
49P        X3..9        -                  export control
50P        X3..35       -                  manufacturer's item and version
51P        X            -                  unique item and version
52P        X1..50       -                  color
53P        X            -                  marine equipment
54P        X            -                  medical device identifier
55P        X            -                  certification reference
Q          D1..30,quantity quantity        quantity
1Q-2Q      D1..30,quantity -               theoretical length or weight, actual weight
3Q         C2           unit               unit of measure, ANSI X12.3 element 355
4Q-5Q      D1..30,quantity -               gross and net amount
6Q         X            -                  containers of one product
7Q         X3..32,quantity_unit quantity_unit  quantity and unit
8Q         N4..6        -                  rated weight of a container
9Q         X            -                  weight of a piece
11Q        N4..6        -                  weight of an empty container
12Q        X4..13       -                  value and currency
13Q        X3..20,nth   -                  nth of n pieces
14Q-17Q    X            -                  secondary quantities, pieces in a van
18Q-25Q    X            -                  cube, width, height, length, weights, each with its unit
26Q        X            -                  packaging level
27Q        D1..20,quantity -               price
28Q        D1..10,quantity -               price of postage
29Q        D1..6,quantity -                discount
30Q        D1..5,quantity -                rate of value added tax
31Q        C3           -                  currency
32Q        X3..35       -                  clinical term
1R-2R      X            -                  return authorization
4R         C4           -                  DoDIC
5R-6R      X            -                  agreed data, digital signature
7R         C1..3        -                  species of fish
8R         X1..10       -                  fishing gear
9R         C2           -                  production method of fish
S          X            serial             serial number
1S         X            -                  further serial number
2S         X2..30       shipment_notice    shipment in an advance notice
3S         X            package            package of like items
4S         X            package            master package of like items
5S         X            package            master package of unlike items
6S-7S      X            package            master package over several orders
8S         N18,sscc     sscc               SSCC
9S         X            package            package
10S-12S    X            -                  machine, asset, document
13S        X            seal               container seal
14S        X            -                  parcel post manifest
15S        X            -                  serial number within a supplier's DUNS
16S        X            -                  version
17S        X            -                  GS1 supplier and package
18S        X6..25       unique_item        CAGE code and serial number
19S        X            -                  DUNS and package
20S        X            -                  customer's traceability code
21S        X            -                  tire
22S        X            unique_item        cellular telephone
23S        C12          -                  MAC address
24S        N6..26       -                  tag identification
25S        X,agency     unique_item        agency, company and serial number
26S        C1..35       -                  equipment
27S-28S    X            -                  item in a batch
30S        X            -                  further traceability code
31S-32S    X            -                  first and last serial number
33S-34S    X            -                  serial number of the next higher assembly, of the end item
35S-36S    X            -                  bumper, air pallet
37S        X,agency     unique_item        agency, company, part and serial number
42S        X            unique_item        unique item with the length of its serial number
43S        N14..26      -                  ICCID
50S-54S    X1..20       -                  supplier's levels
96S        X            -                  EPC
97S        X4..25       -                  encrypted serial number
T          X            customer_lot       customer's lot
1T         X            lot                supplier's lot
3T         X            -                  exclusive assignment
20T-24T    X            -                  customer's lot, first to fifth level
25T        X,agency     unique_lot         agency, company and lot
26T-27T    X            -                  batch, UPU
30T-34T    X            -                  supplier's lot, first to fifth level
5U-6U      X            -                  postal data, UPU
15U-19U    X            -                  postal data, UPU
55U        X            -                  OCR locator
V          X            supplier           supplier, as the customer calls it
1V         X            supplier           supplier, as it calls itself
2V-3V      X            -                  company prefix
4V         X            carrier            carrier
5V         X            -                  bank
6V         X            manufacturer       manufacturer
7V         X            -                  liable party
8V-9V      X            -                  customer
10V        X10..15      manufacturer       manufacturer as customs calls it
11V        X            -                  budget holder
12V        N9..13       manufacturer       manufacturer's DUNS number
13V        N9..13       supplier           supplier's DUNS number
14V        N9..13       -                  customer's DUNS number
15V-16V    X            -                  shipper, vehicle supplier
17V        C5           supplier           CAGE code
18V        X,agency     supplier           agency and company
19V        X            -                  party's role
20V        X,agency     supplier           agency, company and role
21V        X1..35,agency supplier          agency, company and unit
22V        X4           carrier            SCAC
23V-24V    X5..20       -                  value added tax number
25V        C5           manufacturer       CAGE code of the manufacturer
W          X            work_order         work order
1W-6W      X            -                  operation
10W-12W    X            -                  form, inspector, telephone
Z          X            -                  agreed between customer and supplier
1Z         X            -                  agreed between carrier and supplier
2Z         X            -                  agreed between customer and carrier
3Z         X            -                  free text
4Z         X            -                  agreed between carrier and partner
10Z-99Z    X            -                  structured free text
"""


@dataclass(frozen=True, slots=True)
class DataIdentifier:
    """One data identifier: its value's characters ("N", "A", "C", "D" or "X"), lengths and check by name."""

    di: str
    title: str
    field: str | None
    charset: str
    length_min: int
    length_max: int
    check: str | None


def split_identifier(text: str) -> tuple[str, str] | None:
    """`text` as the data identifier in front of it and the rest; None when none stands there.

    A data identifier is one capital letter with at most three digits before it, so that where it ends is
    never in doubt. Whether the table holds it is another question.
    """
    match = _IDENTIFIER.match(text)
    return None if match is None else (match[0], text[match.end() :])


_IDENTIFIER = re.compile("(?:[1-9][0-9]{0,2})?[A-Z]", re.ASCII)
_FORMAT = re.compile(r"([NACDX])(?:(\d+)(?:\.\.(\d+))?)?(?:,([a-z_]+))?")


def _read_rows(rows: str) -> Iterator[DataIdentifier]:
    for row in filter(None, map(str.strip, rows.splitlines())):
        first, form, field, title = row.split(None, 3)
        match = _FORMAT.fullmatch(form)
        assert match is not None, row
        charset, low, high, check = match.groups()
        assert check is None or check in CHECKS, row
        length_min = 1 if low is None else int(low)
        length_max = VALUE_LENGTH_MAX if low is None else int(high or low)
        begin, _, end = first.partition("-")
        letter = begin[-1]
        for number in range(int(begin[:-1] or 0), int((end or begin)[:-1] or 0) + 1):
            yield DataIdentifier(
                f"{number or ''}{letter}",
                title,
                None if field == "-" else field,
                charset,
                length_min,
                length_max,
                check,
            )


DATA_IDENTIFIERS: Mapping[str, DataIdentifier] = MappingProxyType({row.di: row for row in _read_rows(_ROWS)})
