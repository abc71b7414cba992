-- SPDX-License-Identifier: Apache-2.0
-- The record: copies of all node logs, the center's own log, and what the exchange itself needs.

-- Every entry of every log, as the bytes that were hashed. `node` owns the log; 'center' is the own one.
-- `place` counts the epochs of one log in the order they came, so that (place, seq) orders the own log.
CREATE TABLE log_head (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL,
    signed_seq bigint,
    signed_hash text,
    signature text,
    PRIMARY KEY (tenant, zone, node, epoch),
    UNIQUE (tenant, zone, node, place)
);

CREATE TABLE entry (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    type text NOT NULL,
    door text,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    hash text NOT NULL,
    record bytea NOT NULL,
    PRIMARY KEY (tenant, zone, node, epoch, seq),
    -- One fact may stand in two epochs (a child re-records what its parent could not send), never twice in one.
    UNIQUE (tenant, zone, entry_id, node, epoch)
);

-- Records are JSON of half a kilobyte with hashes in it: compressing them costs more than it saves.
ALTER TABLE entry ALTER COLUMN record SET STORAGE EXTERNAL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'entries are never changed or deleted; write a correction';
END $$;

CREATE TRIGGER entry_is_append_only BEFORE UPDATE OR DELETE ON entry
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entry_is_not_truncated BEFORE TRUNCATE ON entry
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- What a node last said of itself; not part of any log.
CREATE TABLE node (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    doors text[] NOT NULL,
    contact_at timestamptz NOT NULL,
    PRIMARY KEY (tenant, zone, node)
);

-- One-time codes by which a node's first key is trusted; only their SHA-256 is kept.
CREATE TABLE enrolment (
    tenant text NOT NULL,
    zone text NOT NULL,
    code_hash text NOT NULL,
    node text NOT NULL,
    made_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (tenant, zone, code_hash)
);
