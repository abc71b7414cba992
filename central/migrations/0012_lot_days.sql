-- SPDX-License-Identifier: Apache-2.0
-- What of a lot came into the zone's hands on a day of the zone's own calendar, less what left them, by the days
-- it is known on: its picture costs as many rows as it has days, however many movements those had.
CREATE TABLE ledger_lot_day (
    tenant text NOT NULL,
    zone text NOT NULL,
    lot text COLLATE "C" NOT NULL,
    day date NOT NULL,
    known_day date NOT NULL,
    quantity numeric NOT NULL,
    PRIMARY KEY (tenant, zone, lot, day, known_day)
);

-- Before the first calendar the zone's days are those of UTC.
INSERT INTO ledger_lot_day (tenant, zone, lot, day, known_day, quantity)
SELECT tenant, zone, lot, booked_day, known_day, sum(quantity) FROM ledger_day
WHERE account = 'stock' OR account LIKE 'wip:%' OR account LIKE 'constructive:%' OR account LIKE 'in-transit:%'
GROUP BY tenant, zone, lot, booked_day, known_day;
