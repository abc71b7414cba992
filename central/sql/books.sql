-- SPDX-License-Identifier: Apache-2.0
-- The books: what the projector writes. Sums are added to, never set, so that the order of two docks' logs
-- does not matter. What goods lead to comes by thousands: those queries take a column an argument, and write
-- all rows of a batch at once, a row of the table once. Movements are copied in.

-- name: flush_later
-- The books are made of the record: what a crash takes of them, cursor and all, is folded again.
SET LOCAL synchronous_commit = off

-- name: rebuilding
-- Postings may go in this transaction: it makes all of them again.
SET LOCAL zonegate.rebuild = 'on'

-- name: look_at_tables
-- What the database should know of the books' tables, to find its rows by their keys.
ANALYZE entry, folded, movement, holding, permit_line, refusal, ledger_known, ledger_queue, ledger_fact,
    ledger_layer, ledger_taken, posting, ledger_day, ledger_goods_day,
    ledger_goods_month, ledger_lot, ledger_word, location_posting, location_now

-- name: cursor_for_update
-- How far the books are, held against a second projector until the transaction ends.
SELECT place, seq FROM projection_cursor WHERE tenant = $1 AND zone = $2 FOR UPDATE

-- name: make_cursor
-- The cursor of a zone that has no books yet.
INSERT INTO projection_cursor (tenant, zone, place, seq) VALUES ($1, $2, 0, 0)
ON CONFLICT (tenant, zone) DO NOTHING

-- name: move_cursor
-- The books have taken the own log up to here.
UPDATE projection_cursor SET place = $3, seq = $4 WHERE tenant = $1 AND zone = $2

-- name: seen_up_to
-- How far the books have taken some epochs of nodes.
SELECT node, epoch, seq FROM seen
WHERE tenant = $1 AND zone = $2 AND (node, epoch) IN (SELECT * FROM unnest($3::text[], $4::text[]))

-- name: see
-- The books have taken these epochs up to there.
INSERT INTO seen (tenant, zone, node, epoch, seq)
SELECT $1, $2, node, epoch, seq FROM unnest($3::text[], $4::text[], $5::bigint[]) AS r (node, epoch, seq)
ON CONFLICT (tenant, zone, node, epoch) DO UPDATE SET seq = excluded.seq

-- name: facts
-- Entries of some types in the runs of node logs that center-saws name, in the order of these.
SELECT r.saw, r.node, e.record
FROM unnest($3::text[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[]) AS r (node, epoch, after, upto, saw)
CROSS JOIN LATERAL (
    -- Kept apart, so that each run is read by the key, whatever the planner thinks of their number.
    SELECT seq, record FROM entry
    WHERE tenant = $1 AND zone = $2 AND node = r.node AND epoch = r.epoch
        AND seq > r.after AND seq <= r.upto AND type = ANY ($8::text[])
    ORDER BY seq OFFSET 0
) AS e
ORDER BY r.saw, e.seq

-- name: new_facts
-- Of a batch of entry ids those that the books do not contain yet; they do from now on.
INSERT INTO folded (tenant, zone, entry_id) SELECT $1, $2, id FROM unnest($3::uuid[]) AS id
ON CONFLICT (tenant, zone, entry_id) DO NOTHING RETURNING entry_id

-- name: note_unreadable
-- An entry that this version cannot take.
INSERT INTO unreadable (tenant, zone, node, epoch, seq, entry_id, reason) VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (tenant, zone, node, epoch, seq) DO UPDATE SET reason = excluded.reason

-- name: put_product
-- A product as its latest entry has it.
INSERT INTO product (tenant, zone, gtin, name, unit, per_pallet) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (tenant, zone, gtin)
DO UPDATE SET name = excluded.name, unit = excluded.unit, per_pallet = excluded.per_pallet

-- name: put_permit
-- A permit as its latest entry has it.
INSERT INTO permit (tenant, zone, number, kind, owner, valid_from, valid_to, rules)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
ON CONFLICT (tenant, zone, number)
DO UPDATE SET kind = excluded.kind, owner = excluded.owner, valid_from = excluded.valid_from,
    valid_to = excluded.valid_to, rules = excluded.rules

-- name: put_permit_line
-- A line as its permit has it; what is lent and used of it stays.
INSERT INTO permit_line
    (tenant, zone, permit, line, ordinal, product, status, unit, direction, authorized)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tenant, zone, permit, line)
DO UPDATE SET ordinal = excluded.ordinal, product = excluded.product, status = excluded.status,
    unit = excluded.unit, direction = excluded.direction, authorized = excluded.authorized

-- name: add_granted
-- So much more of lines is lent.
INSERT INTO permit_line (tenant, zone, permit, line, granted)
SELECT $1, $2, permit, line, sum(quantity)
FROM unnest($3::text[], $4::text[], $5::numeric[]) AS r (permit, line, quantity)
GROUP BY permit, line
ON CONFLICT (tenant, zone, permit, line) DO UPDATE SET granted = permit_line.granted + excluded.granted

-- name: add_used
-- So much more (or, by a correction, less) of lines is used.
INSERT INTO permit_line (tenant, zone, permit, line, used)
SELECT $1, $2, permit, line, sum(quantity)
FROM unnest($3::text[], $4::text[], $5::numeric[]) AS r (permit, line, quantity)
GROUP BY permit, line
ON CONFLICT (tenant, zone, permit, line) DO UPDATE SET used = permit_line.used + excluded.used

-- name: put_conveyance
-- A truck as its entry has it.
INSERT INTO conveyance
    (tenant, zone, job, conveyance, carrier, door, direction, seals, permit_lines, in_bond)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (tenant, zone, job)
DO UPDATE SET conveyance = excluded.conveyance, carrier = excluded.carrier, door = excluded.door,
    direction = excluded.direction, seals = excluded.seals, permit_lines = excluded.permit_lines,
    in_bond = excluded.in_bond

-- name: put_planned_load
-- What an SSCC on a truck contains, by its notice.
INSERT INTO planned_load (tenant, zone, job, sscc, gtin, quantity, lot, owner, status)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (tenant, zone, job, sscc)
DO UPDATE SET gtin = excluded.gtin, quantity = excluded.quantity, lot = excluded.lot, owner = excluded.owner,
    status = excluded.status

-- name: put_job
-- What a dock said of a job: opened, seals accepted, closed.
INSERT INTO job (tenant, zone, job, state, node, door, opened_at, closed_at, seals_seen, counted, missing)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
ON CONFLICT (tenant, zone, job)
DO UPDATE SET state = excluded.state, node = excluded.node, door = excluded.door,
    opened_at = coalesce(excluded.opened_at, job.opened_at), closed_at = excluded.closed_at,
    seals_seen = coalesce(excluded.seals_seen, job.seals_seen),
    counted = excluded.counted, missing = excluded.missing

-- name: reverse_movement
-- A correction takes a movement back, once.
UPDATE movement SET reversed_by = $4, reversed_at = $5
WHERE tenant = $1 AND zone = $2 AND entry_id = $3 AND reversed_by IS NULL
RETURNING type, job, key, sscc, gtin, lot, owner, status, quantity, unit, permit, line, used

-- name: add_holding
-- So much more (or less) of loads is in the zone. What a load is stands as it was first told.
INSERT INTO holding (tenant, zone, key, owner, status, unit, sscc, gtin, lot, quantity)
SELECT $1, $2, key, owner, status, unit,
    (array_agg(sscc ORDER BY place) FILTER (WHERE sscc IS NOT NULL))[1],
    (array_agg(gtin ORDER BY place) FILTER (WHERE gtin IS NOT NULL))[1],
    (array_agg(lot ORDER BY place) FILTER (WHERE lot IS NOT NULL))[1],
    sum(quantity)
FROM unnest(
    $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::numeric[]
) WITH ORDINALITY AS r (key, owner, status, unit, sscc, gtin, lot, quantity, place)
GROUP BY key, owner, status, unit
ON CONFLICT (tenant, zone, key, owner, status, unit)
DO UPDATE SET quantity = holding.quantity + excluded.quantity, sscc = coalesce(holding.sscc, excluded.sscc),
    gtin = coalesce(holding.gtin, excluded.gtin), lot = coalesce(holding.lot, excluded.lot)

-- name: put_refusal
-- Loads that did not pass.
INSERT INTO refusal
    (tenant, zone, entry_id, verdict, node, epoch, seq, door, job, key, gtin, code, reason, occurred_at)
SELECT $1, $2, r.* FROM unnest(
    $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::timestamptz[]
) AS r
ON CONFLICT (tenant, zone, entry_id)
DO UPDATE SET verdict = excluded.verdict, node = excluded.node, epoch = excluded.epoch, seq = excluded.seq,
    door = excluded.door, job = excluded.job, key = excluded.key, gtin = excluded.gtin, code = excluded.code,
    reason = excluded.reason, occurred_at = excluded.occurred_at

-- name: settle_refusal
-- A movement or a release settles a Hold; the first one that does stands.
INSERT INTO refusal (tenant, zone, entry_id, decision, settled_by, settled_at)
SELECT $1, $2, entry_id, decision, settled_by, settled_at FROM (
    SELECT DISTINCT ON (entry_id) entry_id, decision, settled_by, settled_at
    FROM unnest($3::uuid[], $4::text[], $5::uuid[], $6::timestamptz[])
        WITH ORDINALITY AS r (entry_id, decision, settled_by, settled_at, place)
    ORDER BY entry_id, place
) AS first
ON CONFLICT (tenant, zone, entry_id)
DO UPDATE SET decision = excluded.decision, settled_by = excluded.settled_by, settled_at = excluded.settled_at
WHERE refusal.settled_by IS NULL

-- name: loads_of_goods
-- The loads in the zone that hold an owner's product in a status.
SELECT key, owner, status, unit, sscc, gtin, lot, quantity FROM holding
WHERE tenant = $1 AND zone = $2 AND owner = $3 AND gtin = $4 AND status = $5 AND quantity > 0
ORDER BY key

-- name: loads_named
-- What is or was in the zone under some keys.
SELECT key, owner, status, unit, sscc, gtin, lot, quantity FROM holding
WHERE tenant = $1 AND zone = $2 AND key = ANY ($3::text[])
ORDER BY key, owner, status
