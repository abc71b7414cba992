-- SPDX-License-Identifier: Apache-2.0
-- Locations that were closed to what would be put away there, and opened again: as of `happened`, known at `at`.
-- Made of the entries; every row can be made again.

CREATE TABLE location_closing (
    tenant text NOT NULL,
    zone text NOT NULL,
    name text COLLATE "C" NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    at timestamptz NOT NULL,
    happened timestamptz NOT NULL,
    closed boolean NOT NULL,
    PRIMARY KEY (tenant, zone, name, happened, place, seq)
);

-- What was put at a location, the latest first.
CREATE INDEX put_away_to ON put_away (tenant, zone, place_to, happened);
