-- The record: storing entries, heads and what the exchange needs.

-- name: store_entries
-- One statement a batch. There is no ON CONFLICT: the chain's rules have run before, so a conflict is an alarm.
INSERT INTO entry (tenant, zone, node, epoch, seq, entry_id, type, door, occurred_at, received_at, hash, record)
SELECT $1, $2, e.node, e.epoch, e.seq, e.entry_id, e.type, e.door, e.occurred_at, $3, e.hash, e.record
FROM unnest(
    $4::text[], $5::text[], $6::bigint[], $7::uuid[], $8::text[], $9::text[], $10::timestamptz[], $11::text[],
    $12::bytea[]
) AS e (node, epoch, seq, entry_id, type, door, occurred_at, hash, record)

-- name: move_head
-- The stored head of a log after a batch; a new epoch takes the next place among its node's epochs.
INSERT INTO log_head (tenant, zone, node, epoch, place, seq, hash)
SELECT $1, $2, $3, $4, coalesce(max(place), 0) + 1, $5, $6
FROM log_head WHERE tenant = $1 AND zone = $2 AND node = $3
ON CONFLICT (tenant, zone, node, epoch) DO UPDATE SET seq = excluded.seq, hash = excluded.hash

-- name: sign_head
-- The latest head that the writer of a log has signed: a claim, which may be ahead of what is stored.
UPDATE log_head SET signed_seq = $5, signed_hash = $6, signature = $7
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND coalesce(signed_seq, 0) <= $5

-- name: all_heads
-- All logs with their stored and signed heads, the epochs of each in the order they came.
SELECT node, epoch, place, seq, hash, signed_seq, signed_hash, signature
FROM log_head WHERE tenant = $1 AND zone = $2 ORDER BY node, place

-- name: hashes
-- Stored hashes of a range of one epoch.
SELECT seq, hash FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq BETWEEN $5 AND $6

-- name: stored_hash
-- The stored hash of one entry.
SELECT hash FROM entry WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq = $5

-- name: log_page
-- A run of one epoch of a log in order, after a seq and up to another.
SELECT seq, entry_id, type, hash, received_at, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq > $5 AND seq <= $6
ORDER BY seq LIMIT $7

-- name: down_page
-- What of a run of the center's own log may concern a node.
SELECT seq, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = 'center' AND epoch = $3 AND seq > $4 AND seq <= $5
    AND type IN ('product', 'permit', 'conveyance', 'grant', 'holdings')
ORDER BY seq LIMIT $6

-- name: account_page
-- What of a node's epoch the center's book folds at its start: its beginning and what debits a line.
SELECT seq, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq > $5
    AND (seq = 1 OR type IN ('admission', 'withdrawal', 'correction'))
ORDER BY seq LIMIT $6

-- name: meet_node
-- What a node says of itself at each contact.
INSERT INTO node (tenant, zone, node, epoch, doors, contact_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant, zone, node)
DO UPDATE SET epoch = excluded.epoch, doors = excluded.doors, contact_at = excluded.contact_at

-- name: announced_doors
-- The doors that nodes have announced.
SELECT node, doors FROM node WHERE tenant = $1 AND zone = $2 ORDER BY node

-- name: make_code
-- A one-time enrolment code, by its hash.
INSERT INTO enrolment (tenant, zone, code_hash, node, made_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)

-- name: code_valid
-- Whether a code may enrol a node now.
SELECT 1 FROM enrolment
WHERE tenant = $1 AND zone = $2 AND code_hash = $3 AND node = $4 AND used_at IS NULL AND expires_at > $5

-- name: use_code
-- Spend a code.
UPDATE enrolment SET used_at = $4
WHERE tenant = $1 AND zone = $2 AND code_hash = $3 AND used_at IS NULL
