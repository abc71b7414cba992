-- SPDX-License-Identifier: Apache-2.0
-- The books: projections of the logs. Every row here can be made again from the entries.

-- How far the books are: the place in the center's own log up to which it is folded in.
CREATE TABLE projection_cursor (
    tenant text NOT NULL,
    zone text NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (tenant, zone)
);

-- How far each node log is folded in: the last `upto` of a center-saw.
CREATE TABLE seen (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (tenant, zone, node, epoch)
);

-- Facts that the books contain, by entry id: a fact that is recorded again counts once.
CREATE TABLE folded (
    tenant text NOT NULL,
    zone text NOT NULL,
    entry_id uuid NOT NULL,
    PRIMARY KEY (tenant, zone, entry_id)
);

-- Entries that this version cannot read or take; they block nothing, and a rebuild tries them again.
CREATE TABLE unreadable (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    reason text NOT NULL,
    PRIMARY KEY (tenant, zone, node, epoch, seq)
);

CREATE TABLE product (
    tenant text NOT NULL,
    zone text NOT NULL,
    gtin text NOT NULL,
    name text NOT NULL,
    unit text NOT NULL,
    per_pallet numeric,
    PRIMARY KEY (tenant, zone, gtin)
);

CREATE TABLE permit (
    tenant text NOT NULL,
    zone text NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    owner text NOT NULL,
    valid_from date NOT NULL,
    valid_to date NOT NULL,
    rules text[] NOT NULL,
    PRIMARY KEY (tenant, zone, number)
);

-- What is authorized, lent to nodes and used of a line. A use of a line that no permit has is kept, too:
-- its product is null and it shows as overdrawn.
CREATE TABLE permit_line (
    tenant text NOT NULL,
    zone text NOT NULL,
    permit text NOT NULL,
    line text NOT NULL,
    ordinal integer,
    product text,
    status text,
    unit text,
    direction text,
    authorized numeric NOT NULL DEFAULT 0,
    granted numeric NOT NULL DEFAULT 0,
    used numeric NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, zone, permit, line)
);

CREATE TABLE conveyance (
    tenant text NOT NULL,
    zone text NOT NULL,
    job text NOT NULL,
    conveyance text NOT NULL,
    carrier text NOT NULL,
    door text NOT NULL,
    direction text NOT NULL,
    seals text[] NOT NULL,
    permit_lines text[] NOT NULL,
    in_bond text,
    PRIMARY KEY (tenant, zone, job)
);

CREATE TABLE planned_load (
    tenant text NOT NULL,
    zone text NOT NULL,
    job text NOT NULL,
    sscc text NOT NULL,
    gtin text NOT NULL,
    quantity numeric NOT NULL,
    lot text,
    owner text NOT NULL,
    status text NOT NULL,
    PRIMARY KEY (tenant, zone, job, sscc),
    FOREIGN KEY (tenant, zone, job) REFERENCES conveyance (tenant, zone, job)
);

-- A door job as the docks report it; `counted` is the dock's own count, filled at its close.
CREATE TABLE job (
    tenant text NOT NULL,
    zone text NOT NULL,
    job text NOT NULL,
    state text NOT NULL,
    node text NOT NULL,
    door text,
    opened_at timestamptz,
    closed_at timestamptz,
    seals_seen text[],
    counted integer,
    missing text[] NOT NULL,
    PRIMARY KEY (tenant, zone, job)
);

-- Goods that crossed. A row is never removed; a correction names itself in `reversed_by`.
CREATE TABLE movement (
    tenant text NOT NULL,
    zone text NOT NULL,
    entry_id uuid NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    type text NOT NULL,
    door text,
    job text,
    key text NOT NULL,
    sscc text,
    gtin text,
    lot text,
    owner text NOT NULL,
    status text NOT NULL,
    quantity numeric NOT NULL,
    unit text NOT NULL,
    permit text,
    line text,
    used numeric,
    reason text NOT NULL,
    occurred_at timestamptz NOT NULL,
    reversed_by uuid,
    reversed_at timestamptz,
    PRIMARY KEY (tenant, zone, entry_id)
);
CREATE INDEX movement_by_job ON movement (tenant, zone, job);
CREATE INDEX movement_by_key ON movement (tenant, zone, key);

-- What is in the zone: the sum of movements by load, owner and status. Zero rows are gone goods; a
-- negative one is a case (goods left that never came, or came under another status).
CREATE TABLE holding (
    tenant text NOT NULL,
    zone text NOT NULL,
    key text NOT NULL,
    owner text NOT NULL,
    status text NOT NULL,
    unit text NOT NULL,
    sscc text,
    gtin text,
    lot text,
    quantity numeric NOT NULL,
    PRIMARY KEY (tenant, zone, key, owner, status, unit)
);
CREATE INDEX holding_by_lot ON holding (tenant, zone, gtin, lot, status) WHERE quantity <> 0;

-- Loads that did not pass. A Hold is open until a movement or a release settles it; a STOP is advice only.
-- A release may be folded before its Hold when they stand in two logs, so only the key is required.
CREATE TABLE refusal (
    tenant text NOT NULL,
    zone text NOT NULL,
    entry_id uuid NOT NULL,
    verdict text,
    node text,
    epoch text,
    seq bigint,
    door text,
    job text,
    key text,
    gtin text,
    code text,
    reason text,
    occurred_at timestamptz,
    decision text,
    settled_by uuid,
    settled_at timestamptz,
    PRIMARY KEY (tenant, zone, entry_id)
);
CREATE INDEX refusal_open ON refusal (tenant, zone, entry_id)
    WHERE verdict = 'hold' AND settled_by IS NULL;
