-- SPDX-License-Identifier: Apache-2.0
-- Where in the zone goods stand: places, and what moved from one to another. Made of the entries by
-- customs.ledger.locations; every row can be made again.

-- Places that were declared, as their latest entry has them.
CREATE TABLE location (
    tenant text NOT NULL,
    zone text NOT NULL,
    name text COLLATE "C" NOT NULL,
    description text NOT NULL,
    PRIMARY KEY (tenant, zone, name)
);

-- Double entry: a quantity of a load's goods moved from one place to another. One fact may have several, and
-- some below zero: contra postings. `lot` is the one that the load was brought in as, `said` the place that
-- the fact itself named. Never changed; a rebuild makes all of them again. `ordinal` counts what became known
-- of a load at once.
CREATE TABLE location_posting (
    tenant text NOT NULL,
    zone text NOT NULL,
    load text COLLATE "C" NOT NULL,
    happened timestamptz NOT NULL,
    known_place integer NOT NULL,
    known_seq bigint NOT NULL,
    ordinal integer NOT NULL,
    turn smallint NOT NULL,
    fact uuid NOT NULL,
    n integer NOT NULL,
    owner text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    place_from text COLLATE "C" NOT NULL,
    place_to text COLLATE "C" NOT NULL,
    said text COLLATE "C",
    quantity numeric NOT NULL,
    PRIMARY KEY (tenant, zone, load, happened, known_place, known_seq, ordinal)
);
CREATE INDEX location_posting_to ON location_posting (tenant, zone, place_to, load)
    WHERE place_to <> '~outside';
CREATE INDEX location_posting_of_lot ON location_posting (tenant, zone, lot, happened);

-- The few that are no crossing.
CREATE INDEX location_posting_put ON location_posting (tenant, zone, lot, happened) WHERE turn = 1;

CREATE TRIGGER location_posting_is_append_only AFTER UPDATE OR DELETE OR TRUNCATE ON location_posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_posting_change();

-- What stands where now, by load; `ordinal` counts what stands of one. Written anew where it changes: as many
-- rows as there are loads in the zone.
CREATE TABLE location_now (
    tenant text NOT NULL,
    zone text NOT NULL,
    load text COLLATE "C" NOT NULL,
    ordinal integer NOT NULL,
    owner text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    lot text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    PRIMARY KEY (tenant, zone, load, ordinal)
);
CREATE INDEX location_now_at ON location_now (tenant, zone, place, load);
CREATE INDEX location_now_of_lot ON location_now (tenant, zone, lot);

-- Loads that were put away, each as it was told, and what was found of it as the books stand now. `lacks` is a
-- case: the load did not have that then.
CREATE TABLE put_away (
    tenant text NOT NULL,
    zone text NOT NULL,
    load text COLLATE "C" NOT NULL,
    happened timestamptz NOT NULL,
    fact uuid NOT NULL,
    n integer NOT NULL,
    known_place integer NOT NULL,
    known_seq bigint NOT NULL,
    place_to text COLLATE "C" NOT NULL,
    place_from text COLLATE "C",
    quantity numeric,
    found numeric NOT NULL,
    lacks boolean NOT NULL,
    PRIMARY KEY (tenant, zone, load, happened, fact, n)
);
CREATE INDEX put_away_lacks ON put_away (tenant, zone, fact DESC, n DESC) WHERE lacks;
