-- SPDX-License-Identifier: Apache-2.0
-- Whose days the zone's calendar has, each from its place in the center's own log on.
CREATE TABLE ledger_calendar (
    tenant text NOT NULL,
    zone text NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    timezone text NOT NULL,
    PRIMARY KEY (tenant, zone, place, seq)
);
