-- SPDX-License-Identifier: Apache-2.0
-- The logs as witnesses read them: which epochs are stored, and what stands at a place.

-- name: epochs_of
-- The stored epochs of one log in the order they came, each with its stored head, its writer's latest signed
-- one, and its first record.
SELECT h.epoch, h.seq, h.hash, h.signed_seq, h.signed_hash, h.signature, e.record
FROM log_head h LEFT JOIN entry e ON e.tenant = $1 AND e.zone = $2 AND e.node = h.node AND e.epoch = h.epoch
    AND e.seq = 1
WHERE h.tenant = $1 AND h.zone = $2 AND h.node = $3 ORDER BY h.place

-- name: closings
-- The center's own entries that closed an epoch.
SELECT record FROM entry WHERE tenant = $1 AND zone = $2 AND node = 'center' AND type = 'close'
ORDER BY epoch, seq

-- name: at_place
-- What is stored at one place of a log.
SELECT hash, entry_id::text AS entry_id, received_at, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq = $5

-- name: stored_runs
-- How much of each epoch is stored, whether or not a head is kept for it.
SELECT node, epoch, count(*) AS entries, max(seq) AS last FROM entry
WHERE tenant = $1 AND zone = $2 GROUP BY node, epoch ORDER BY node, epoch

-- name: whole_rows
-- Everything stored of a run of one epoch, with the columns that repeat what the record says.
SELECT epoch, seq, entry_id::text AS entry_id, type, door, occurred_at, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq > $5
ORDER BY seq LIMIT $6

-- name: hashes_at
-- The stored hashes of some entries of one epoch.
SELECT seq, hash FROM entry
WHERE tenant = $1 AND zone = $2 AND node = $3 AND epoch = $4 AND seq = ANY($5::bigint[])
