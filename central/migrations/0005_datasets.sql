-- SPDX-License-Identifier: Apache-2.0
-- Tables of customs data as they were imported. A row never changes: a later dataset supersedes it.

-- An import of one table. It is in force when `taken` has reached `parts`, and known from the entry of the last
-- part on; `known_order` counts the epochs of the center's own log.
CREATE TABLE dataset (
    tenant text NOT NULL,
    zone text NOT NULL,
    dataset uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    file text NOT NULL,
    sha256 text NOT NULL,
    rows integer NOT NULL,
    parts integer NOT NULL,
    taken integer NOT NULL DEFAULT 0,
    supersedes_from date,
    by text NOT NULL,
    at timestamptz NOT NULL,
    entry_id uuid NOT NULL,
    known_order integer,
    known_seq bigint,
    PRIMARY KEY (tenant, zone, dataset)
);
CREATE INDEX dataset_by_kind ON dataset (tenant, zone, kind, known_order, known_seq);

-- A row: what it is about, the days it holds on (inclusive; null where it has none), and all of it as JSON.
CREATE TABLE dataset_row (
    tenant text NOT NULL,
    zone text NOT NULL,
    dataset uuid NOT NULL,
    number integer NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    valid_from date,
    valid_to date,
    body jsonb NOT NULL,
    PRIMARY KEY (tenant, zone, dataset, number)
);
CREATE INDEX dataset_row_by_key ON dataset_row (tenant, zone, kind, key text_pattern_ops);
