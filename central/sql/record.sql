-- SPDX-License-Identifier: Apache-2.0
-- The record: storing entries, heads and what the exchange needs.

-- name: move_head
-- The stored head of a log after a batch, and its writer's latest signed one: a claim, which may be ahead of
-- what is stored. A new epoch takes the next place among its node's epochs.
INSERT INTO log_head (tenant, zone, node, epoch, place, seq, hash, signed_seq, signed_hash, signature)
SELECT $1, $2, $3, $4, coalesce(max(place), 0) + 1, $5, $6, $7, $8, $9
FROM log_head WHERE tenant = $1 AND zone = $2 AND node = $3
ON CONFLICT (tenant, zone, node, epoch) DO UPDATE
SET seq = excluded.seq, hash = excluded.hash,
    signed_seq = coalesce(excluded.signed_seq, log_head.signed_seq),
    signed_hash = coalesce(excluded.signed_hash, log_head.signed_hash),
    signature = coalesce(excluded.signature, log_head.signature)

-- name: sign_head
-- A head that the writer of a log signed, of which nothing new is stored; it gives way to no older one.
UPDATE log_head SET signed_seq = $5, signed_hash = $6, signature = $7
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND coalesce(signed_seq, 0) < $5

-- name: strayed_heads
-- Which of some logs do not end where the center last stored them: the database is not what it was.
SELECT r.node, r.epoch FROM unnest($3::text[], $4::text[], $5::text[]) AS r (node, epoch, hash)
LEFT JOIN log_head h ON h.tenant = $1 AND h.zone = $2 AND h.node = r.node AND h.epoch = r.epoch
WHERE coalesce(h.hash, $6) <> r.hash

-- name: add_claim
-- A signed head ahead of what is stored, while an epoch has no more than so many.
INSERT INTO claim (tenant, zone, node, epoch, seq, hash, signature)
SELECT $1, $2, $3, $4, $5, $6, $7
FROM log_head WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq < $5
    AND (SELECT count(*) FROM claim
        WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4) < $8
ON CONFLICT (tenant, zone, node, epoch, seq) DO NOTHING

-- name: reach_claims
-- The chain has come to these signed heads.
DELETE FROM claim WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq <= $5

-- name: all_claims
-- All signed heads ahead of what is stored.
SELECT epoch, seq, hash, signature FROM claim WHERE tenant = $1 AND zone = $2 ORDER BY node, epoch, seq

-- name: ahead
-- The first entry of each epoch that is dated more than a day ahead of its arrival.
SELECT DISTINCT ON (node, epoch) epoch, seq, hash FROM entry
WHERE tenant = $1 AND zone = $2 AND occurred_at - received_at > interval '24 hours' AND node <> 'center'
ORDER BY node, epoch, seq

-- name: crossed_stops
-- The newest STOPs of docks, before one, whose passage went through, also those told again for a log that cannot be stored:
-- what a record says cannot look like this in a text.
SELECT node, entry_id, record FROM (
    SELECT node, entry_id, record FROM entry
    WHERE tenant = $1 AND zone = $2 AND type = 'stop' AND node <> 'center'
    UNION ALL
    SELECT node, entry_id, record FROM entry
    WHERE tenant = $1 AND zone = $2 AND type = 'adopt' AND node <> 'center'
        AND position(convert_to('"type":"stop"', 'UTF8') in record) > 0
) told
WHERE position(convert_to('"kind":"crossed"', 'UTF8') in record) > 0 AND entry_id < $4
ORDER BY entry_id DESC LIMIT $3

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
    AND type = ANY($7::text[])
ORDER BY seq LIMIT $6

-- name: account_page
-- What of a node's epoch the center's book folds at its start: its beginning and what debits a line.
SELECT seq, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq > $5
    AND (seq = 1 OR type = ANY($7::text[]))
ORDER BY seq LIMIT $6

-- name: own_of_type
-- The entries of one type in the center's own log, in order.
SELECT e.epoch, e.seq, e.entry_id, e.hash, e.received_at, e.record FROM entry e
JOIN log_head h ON h.tenant = $1 AND h.zone = $2 AND h.node = 'center' AND h.epoch = e.epoch
WHERE e.tenant = $1 AND e.zone = $2 AND e.node = 'center' AND e.type = $3
ORDER BY h.place, e.seq

-- name: adopting
-- All entries by which nodes tell facts again that stand in logs the center cannot take.
SELECT hash, record FROM entry WHERE tenant = $1 AND zone = $2 AND type = 'adopt' AND node <> 'center'

-- name: plain_facts
-- Which of some facts stand in a node's log as entries of their own.
SELECT entry_id FROM entry
WHERE tenant = $1 AND zone = $2 AND entry_id = ANY($3::uuid[]) AND node <> 'center'

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

-- name: void_codes
-- No code that waits to be used lets this node in any more.
UPDATE enrolment SET used_at = $4 WHERE tenant = $1 AND zone = $2 AND node = $3 AND used_at IS NULL

-- name: use_code
-- Spend a code.
UPDATE enrolment SET used_at = $4
WHERE tenant = $1 AND zone = $2 AND code_hash = $3 AND used_at IS NULL
