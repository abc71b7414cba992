-- SPDX-License-Identifier: Apache-2.0
-- Reading: what the API and the pages show. Lists in time go by entry id, newest first, a page before an id.

-- name: inventory
-- Goods in the zone by product, lot, owner and status; $3 searches key, product, lot and owner.
SELECT h.gtin, p.name AS product, h.lot, h.owner, h.status, h.unit, sum(h.quantity) AS quantity,
    count(*) AS loads
FROM holding h LEFT JOIN product p ON p.tenant = $1 AND p.zone = $2 AND p.gtin = h.gtin
WHERE h.tenant = $1 AND h.zone = $2 AND h.quantity <> 0
    AND ($3 = '' OR h.key ILIKE $3 OR h.lot ILIKE $3 OR h.owner ILIKE $3 OR p.name ILIKE $3)
GROUP BY h.gtin, p.name, h.lot, h.owner, h.status, h.unit
ORDER BY p.name, h.gtin, h.lot, h.owner, h.status, h.unit OFFSET $4 LIMIT $5

-- name: loads
-- Single loads in the zone; $3 searches as in the inventory.
SELECT h.key, h.sscc, h.gtin, p.name AS product, h.lot, h.owner, h.status, h.quantity, h.unit
FROM holding h LEFT JOIN product p ON p.tenant = $1 AND p.zone = $2 AND p.gtin = h.gtin
WHERE h.tenant = $1 AND h.zone = $2 AND h.quantity <> 0
    AND ($3 = '' OR h.key ILIKE $3 OR h.lot ILIKE $3 OR h.owner ILIKE $3 OR p.name ILIKE $3)
ORDER BY h.key, h.owner, h.status, h.unit OFFSET $4 LIMIT $5

-- name: permits
-- Permits, the latest validity first.
SELECT number, kind, owner, valid_from, valid_to, rules FROM permit
WHERE tenant = $1 AND zone = $2 ORDER BY valid_from DESC, number OFFSET $3 LIMIT $4

-- name: lines_of
-- The lines of some permits with what is lent and used.
SELECT l.permit, l.line, l.product, p.name AS product_name, l.status, l.unit, l.direction, l.authorized,
    l.granted, l.used, l.authorized - l.used AS left
FROM permit_line l LEFT JOIN product p ON p.tenant = $1 AND p.zone = $2 AND p.gtin = l.product
WHERE l.tenant = $1 AND l.zone = $2 AND l.permit = ANY($3::text[])
ORDER BY l.permit, l.ordinal, l.line

-- name: stray_lines
-- Lines that were used though no permit has them: a case for a person.
SELECT permit, line, used FROM permit_line
WHERE tenant = $1 AND zone = $2 AND product IS NULL ORDER BY permit, line LIMIT 100

-- name: nodes
-- Nodes with their current epoch's stored and signed head.
SELECT n.node, n.epoch, n.doors, n.contact_at, h.seq AS stored_seq, h.hash AS stored_hash, h.signed_seq,
    h.signed_hash, greatest(coalesce(h.signed_seq, 0) - coalesce(h.seq, 0), 0) AS behind
FROM node n LEFT JOIN log_head h
    ON h.tenant = $1 AND h.zone = $2 AND h.node = n.node AND h.epoch = n.epoch
WHERE n.tenant = $1 AND n.zone = $2 ORDER BY n.node OFFSET $3 LIMIT $4

-- name: jobs
-- Trucks with the state that the docks report; open ones first, then the planned.
SELECT c.job, c.conveyance, c.carrier, c.door, c.direction, c.seals, c.permit_lines, c.in_bond,
    coalesce(j.state, 'planned') AS state, j.node, j.opened_at, j.closed_at, j.missing, j.seals_seen,
    (SELECT count(*) FROM planned_load l WHERE l.tenant = $1 AND l.zone = $2 AND l.job = c.job) AS planned,
    coalesce(j.counted, (SELECT count(*) FROM movement m WHERE m.tenant = $1 AND m.zone = $2 AND m.job = c.job
        AND m.reversed_by IS NULL)) AS counted
FROM conveyance c LEFT JOIN job j ON j.tenant = $1 AND j.zone = $2 AND j.job = c.job
WHERE c.tenant = $1 AND c.zone = $2
ORDER BY array_position(ARRAY['open', 'planned', 'closed'], coalesce(j.state, 'planned')), c.job
OFFSET $3 LIMIT $4

-- name: holds
-- Loads that did not pass; only those that wait for a decision unless $3.
SELECT entry_id, verdict, node, epoch, seq, door, job, key, gtin, code, reason, occurred_at, decision,
    settled_by, settled_at
FROM refusal
WHERE tenant = $1 AND zone = $2 AND verdict IS NOT NULL AND ($3 OR (verdict = 'hold' AND settled_by IS NULL))
    AND ($4::uuid IS NULL OR entry_id < $4)
ORDER BY entry_id DESC LIMIT $5

-- name: movements
-- Goods that crossed, newest first; $3 searches the load's key and lot.
SELECT m.entry_id, m.node, m.epoch, m.seq, m.type, m.door, m.job, m.key, m.sscc, m.gtin,
    p.name AS product, m.lot, m.owner, m.status, m.quantity, m.unit, m.permit, m.line, m.used, m.reason,
    m.occurred_at, m.reversed_by, m.reversed_at
FROM movement m LEFT JOIN product p ON p.tenant = $1 AND p.zone = $2 AND p.gtin = m.gtin
WHERE m.tenant = $1 AND m.zone = $2 AND ($3 = '' OR m.key ILIKE $3 OR m.lot ILIKE $3)
    AND ($4::uuid IS NULL OR m.entry_id < $4)
ORDER BY m.entry_id DESC LIMIT $5

-- name: entries
-- Stored entries of all logs, or of one node's, newest fact first. A fact in two epochs shows its first place.
SELECT DISTINCT ON (entry_id) entry_id, node, epoch, seq, type, door, occurred_at, received_at, hash
FROM entry
WHERE tenant = $1 AND zone = $2 AND ($3 = '' OR node = $3) AND ($4::uuid IS NULL OR entry_id < $4)
ORDER BY entry_id DESC, node, epoch LIMIT $5

-- name: entry_by_id
-- One entry with the bytes that were hashed.
SELECT entry_id, node, epoch, seq, type, door, occurred_at, received_at, hash, record FROM entry
WHERE tenant = $1 AND zone = $2 AND entry_id = $3 ORDER BY node, epoch LIMIT 1

-- name: unreadable
-- Entries that the books could not take.
SELECT node, epoch, seq, entry_id, reason FROM unreadable
WHERE tenant = $1 AND zone = $2 ORDER BY entry_id DESC LIMIT 100

-- name: figures
-- What /metrics tells of the books and the record.
SELECT
    (SELECT coalesce(sum(seq), 0) FROM log_head WHERE tenant = $1 AND zone = $2) AS entries,
    (SELECT count(*) FROM refusal
        WHERE tenant = $1 AND zone = $2 AND verdict = 'hold' AND settled_by IS NULL) AS open_holds,
    (SELECT count(*) FROM unreadable WHERE tenant = $1 AND zone = $2) AS unreadable,
    (SELECT coalesce(max(h.seq), 0) - coalesce(max(c.seq), 0)
        FROM log_head h LEFT JOIN projection_cursor c
            ON c.tenant = $1 AND c.zone = $2 AND c.place = h.place
        WHERE h.tenant = $1 AND h.zone = $2 AND h.node = 'center'
            AND h.place = (SELECT max(place) FROM log_head
                WHERE tenant = $1 AND zone = $2 AND node = 'center')) AS books_behind

-- name: first_entries
-- The first entry of each log of some nodes.
SELECT h.epoch, e.occurred_at, e.record FROM log_head h
JOIN entry e ON e.tenant = $1 AND e.zone = $2 AND e.node = h.node AND e.epoch = h.epoch AND e.seq = 1
WHERE h.tenant = $1 AND h.zone = $2 AND h.node = ANY($3::text[])

-- name: open_codes
-- Enrolment codes that wait to be used; the code itself is not kept.
SELECT node, made_at, expires_at FROM enrolment
WHERE tenant = $1 AND zone = $2 AND used_at IS NULL AND expires_at > now() ORDER BY expires_at DESC LIMIT 100

-- name: ended
-- What people ended last, and the closings that came by themselves.
SELECT e.entry_id, e.type, e.received_at, e.record FROM entry e
JOIN log_head h ON h.tenant = $1 AND h.zone = $2 AND h.node = 'center' AND h.epoch = e.epoch
WHERE e.tenant = $1 AND e.zone = $2 AND e.node = 'center'
    AND e.type IN ('settled', 'close', 'decision', 'roll', 'revoke')
ORDER BY h.place DESC, e.seq DESC LIMIT 100

-- name: backups_told
-- Backups that exist or existed.
SELECT e.entry_id, e.type, e.received_at, e.record FROM entry e
JOIN log_head h ON h.tenant = $1 AND h.zone = $2 AND h.node = 'center' AND h.epoch = e.epoch
WHERE e.tenant = $1 AND e.zone = $2 AND e.node = 'center' AND e.type IN ('backup', 'backup-gone')
ORDER BY h.place DESC, e.seq DESC LIMIT 200

-- name: imports
-- Imports that were taken, their tables, those that were refused, and refused acts, newest first.
SELECT entry_id, type, received_at, record FROM entry
WHERE tenant = $1 AND zone = $2 AND node = 'center'
    AND type IN ('import', 'dataset', 'import-refused', 'act-refused')
    AND ($3::uuid IS NULL OR entry_id < $3)
ORDER BY entry_id DESC LIMIT $4
