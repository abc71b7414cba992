-- SPDX-License-Identifier: Apache-2.0
-- The zone's ledger: what folding it reads and writes. Facts come by thousands: every query takes all of a
-- page at once, a column an argument. Rows that are only added to are copied in.

-- name: ledger_cuts
-- The last instant that a pinned cut contains.
SELECT max(until) FROM ledger_cut WHERE tenant = $1 AND zone = $2

-- name: ledger_elections
-- All elections, in the order in which they became known.
SELECT owner, method, since, authority, product FROM ledger_election
WHERE tenant = $1 AND zone = $2 ORDER BY place, seq

-- name: ledger_calendar
-- Whose days the zone's calendar has, as it became known last.
SELECT timezone FROM ledger_calendar WHERE tenant = $1 AND zone = $2 ORDER BY place DESC, seq DESC LIMIT 1

-- name: ledger_last_day
-- The last day on which facts became known.
SELECT day FROM ledger_known WHERE tenant = $1 AND zone = $2 ORDER BY place DESC, seq DESC LIMIT 1

-- name: ledger_kinds
-- Kinds of some permits.
SELECT number, kind FROM permit WHERE tenant = $1 AND zone = $2 AND number = ANY($3::text[])

-- name: ledger_entered
-- Constructive queues of some documents.
SELECT owner, product, status, place FROM ledger_queue
WHERE tenant = $1 AND zone = $2 AND place = ANY($3::text[])

-- name: ledger_admissions
-- The last admissions of some loads, or the lots that people made them.
SELECT DISTINCT ON (key) key, entry_id::text AS entry_id, permit, line, status, occurred_at, made FROM (
    SELECT key, entry_id, permit, line, status, occurred_at, NULL AS made FROM movement
    WHERE tenant = $1 AND zone = $2 AND key = ANY($3::text[]) AND type = 'admission'
    UNION ALL
    SELECT key, entry_id, NULL, NULL, status, NULL, lot FROM act_load
    WHERE tenant = $1 AND zone = $2 AND key = ANY($3::text[]) AND lot IS NOT NULL
    UNION ALL
    SELECT key, entry_id, NULL, NULL, NULL, NULL, lot FROM made_load
    WHERE tenant = $1 AND zone = $2 AND key = ANY($3::text[])
) came
ORDER BY key, entry_id DESC

-- name: ledger_papers_of
-- What papers say of some lots.
SELECT lot, quantity, customs FROM ledger_paper WHERE tenant = $1 AND zone = $2 AND lot = ANY($3::text[])

-- name: ledger_factors_of
-- What some products are to customs, the latest known last.
SELECT f.owner, f.product, f.since, f.factor
FROM unnest($3::text[], $4::text[]) AS r (owner, product)
JOIN ledger_factor f ON f.tenant = $1 AND f.zone = $2 AND f.owner = r.owner AND f.product = r.product
ORDER BY f.owner, f.product, f.place, f.seq, f.ordinal

-- name: ledger_working
-- What stands at some work orders.
SELECT q.owner, q.product, q.status, q.place, sum(l.quantity_left) AS quantity
FROM ledger_queue q JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue
WHERE q.tenant = $1 AND q.zone = $2 AND q.place = ANY($3::text[]) AND l.quantity_left > 0
GROUP BY q.owner, q.product, q.status, q.place

-- name: ledger_admitted_of
-- Facts by which goods of some lots were admitted.
SELECT DISTINCT l.fact FROM ledger_layer l
WHERE l.tenant = $1 AND l.zone = $2 AND l.lot = ANY($3::text[])

-- name: ledger_without_paper
-- Entries by which goods of some owners' products came as lots that no paper says anything of.
SELECT DISTINCT left(l.fact, 36) AS fact
FROM unnest($3::text[], $4::text[]) AS r (owner, product)
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.owner = r.owner AND q.product = r.product
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue
WHERE NOT EXISTS (SELECT FROM ledger_paper p WHERE p.tenant = $1 AND p.zone = $2 AND p.lot = l.lot)

-- name: ledger_facts_of
-- The facts of some entries.
SELECT q.owner, q.product, q.status, q.place, o.owner AS o_owner, o.product AS o_product,
    o.status AS o_status, o.place AS o_place, f.booked, f.turn, f.happened, f.fact, f.n, f.leaves, f.lot, f.quantity,
    f.customs, f.account, f.picked, f.fifo_booked, f.fifo_turn, f.fifo_happened, f.fifo_fact, f.fifo_n
FROM ledger_fact f
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = f.queue
LEFT JOIN ledger_queue o ON o.tenant = $1 AND o.zone = $2 AND o.queue = f.onward
WHERE f.tenant = $1 AND f.zone = $2 AND f.fact = ANY($3::text[])
ORDER BY f.fact, f.n

-- name: ledger_queues
-- The numbers of some queues.
SELECT q.queue, q.owner, q.product, q.status, q.place
FROM unnest($3::text[], $4::text[], $5::text[], $6::text[]) AS r (owner, product, status, place)
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.owner = r.owner AND q.product = r.product
    AND q.status = r.status AND q.place = r.place

-- name: ledger_last_queue
-- The highest number of a queue.
SELECT coalesce(max(queue), 0) FROM ledger_queue WHERE tenant = $1 AND zone = $2

-- name: ledger_later
-- The facts of some queues from a key on, each in its order.
SELECT f.queue, o.owner AS o_owner, o.product AS o_product, o.status AS o_status, o.place AS o_place,
    f.booked, f.turn, f.happened, f.fact, f.n, f.leaves, f.lot, f.quantity, f.customs, f.account, f.picked,
    f.fifo_booked, f.fifo_turn, f.fifo_happened, f.fifo_fact, f.fifo_n
FROM unnest($3::int[], $4::timestamptz[], $5::smallint[], $6::timestamptz[], $7::text[], $8::int[])
    AS r (queue, booked, turn, happened, fact, n)
CROSS JOIN LATERAL (
    SELECT * FROM ledger_fact
    WHERE tenant = $1 AND zone = $2 AND queue = r.queue
        AND (booked, turn, happened, fact, n) >= (r.booked, r.turn, r.happened, r.fact, r.n)
    ORDER BY booked, turn, happened, fact, n OFFSET 0
) AS f
LEFT JOIN ledger_queue o ON o.tenant = $1 AND o.zone = $2 AND o.queue = f.onward

-- name: ledger_keys_of
-- Where some facts of a queue stand in it.
SELECT booked, turn, happened, fact, n FROM ledger_fact
WHERE tenant = $1 AND zone = $2 AND queue = $3
    AND (fact, n) IN (SELECT * FROM unnest($4::text[], $5::int[]))

-- name: ledger_takes_of
-- What some facts take, in the order in which they took it.
SELECT t.fact, t.n, t.layer, t.layer_n, t.lot, t.quantity, t.customs, t.fifo_booked, t.fifo_turn,
    t.fifo_happened, t.fifo_fact, t.fifo_n
FROM unnest($3::text[], $4::int[]) AS r (fact, n)
JOIN ledger_taken t ON t.tenant = $1 AND t.zone = $2 AND t.fact = r.fact AND t.n = r.n
ORDER BY t.fact, t.n, t.ordinal

-- name: ledger_layers_of
-- Some layers.
SELECT l.queue, l.fact, l.n, l.booked, l.turn, l.happened, l.fifo_booked, l.fifo_turn, l.fifo_happened,
    l.fifo_fact, l.fifo_n, l.lot, l.quantity, l.customs, l.quantity_left, l.customs_left
FROM unnest($3::text[], $4::int[]) AS r (fact, n)
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.fact = r.fact AND l.n = r.n

-- name: ledger_front
-- The first layers of some queues with something left, in line, after a place in it.
SELECT l.queue, l.fact, l.n, l.booked, l.turn, l.happened, l.fifo_booked, l.fifo_turn, l.fifo_happened,
    l.fifo_fact, l.fifo_n, l.lot, l.quantity, l.customs, l.quantity_left, l.customs_left
FROM unnest($3::int[], $4::timestamptz[], $5::smallint[], $6::timestamptz[], $7::text[], $8::int[],
    $9::timestamptz[], $10::smallint[], $11::timestamptz[], $12::text[], $13::int[])
    AS r (queue, fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n)
CROSS JOIN LATERAL (
    SELECT * FROM ledger_layer
    WHERE tenant = $1 AND zone = $2 AND queue = r.queue AND quantity_left > 0
        AND (fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n)
        > (r.fifo_booked, r.fifo_turn, r.fifo_happened, r.fifo_fact, r.fifo_n, r.booked, r.turn, r.happened,
            r.fact, r.n)
    ORDER BY fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n
    LIMIT $14
) AS l

-- name: ledger_front_of_lot
-- The first layers of a lot in some queues with something left, in line, after a place in it.
SELECT l.queue, l.fact, l.n, l.booked, l.turn, l.happened, l.fifo_booked, l.fifo_turn, l.fifo_happened,
    l.fifo_fact, l.fifo_n, l.lot, l.quantity, l.customs, l.quantity_left, l.customs_left
FROM unnest($3::int[], $4::timestamptz[], $5::smallint[], $6::timestamptz[], $7::text[], $8::int[],
    $9::timestamptz[], $10::smallint[], $11::timestamptz[], $12::text[], $13::int[])
    AS r (queue, fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n)
CROSS JOIN LATERAL (
    SELECT * FROM ledger_layer
    WHERE tenant = $1 AND zone = $2 AND queue = r.queue AND lot = $15 AND quantity_left > 0
        AND (fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n)
        > (r.fifo_booked, r.fifo_turn, r.fifo_happened, r.fifo_fact, r.fifo_n, r.booked, r.turn, r.happened,
            r.fact, r.n)
    ORDER BY fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n
    LIMIT $14
) AS l

-- name: ledger_drop_facts
-- Facts that a correction made undone, and those that came on from what is drawn otherwise now.
DELETE FROM ledger_fact WHERE tenant = $1 AND zone = $2
    AND (fact, n) IN (SELECT * FROM unnest($3::text[], $4::int[]))

-- name: ledger_drop_layers
-- The layers of such facts.
DELETE FROM ledger_layer WHERE tenant = $1 AND zone = $2
    AND (fact, n) IN (SELECT * FROM unnest($3::text[], $4::int[]))

-- name: ledger_drop_takes
-- What some facts took, before it is written as it is drawn now.
DELETE FROM ledger_taken WHERE tenant = $1 AND zone = $2
    AND (fact, n) IN (SELECT * FROM unnest($3::text[], $4::int[]))

-- name: ledger_take_layers
-- What is left of layers now.
UPDATE ledger_layer l SET quantity_left = r.quantity_left, customs_left = r.customs_left
FROM unnest($3::text[], $4::int[], $5::numeric[], $6::numeric[]) AS r (fact, n, quantity_left, customs_left)
WHERE l.tenant = $1 AND l.zone = $2 AND l.fact = r.fact AND l.n = r.n

-- name: ledger_add_days
-- So much more on accounts, by the days it is booked and known on.
INSERT INTO ledger_day
    (tenant, zone, lot, queue, account, booked_day, known_day, quantity, customs)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::int[], $5::text[], $6::date[], $7::date[], $8::numeric[],
    $9::numeric[]) AS r
ON CONFLICT (tenant, zone, lot, queue, account, booked_day, known_day) DO UPDATE
SET quantity = ledger_day.quantity + excluded.quantity, customs = ledger_day.customs + excluded.customs

-- name: ledger_add_lot_days
-- So much more of lots in the zone's hands, by the days of its calendar and the days it is known on.
INSERT INTO ledger_lot_day (tenant, zone, lot, day, known_day, quantity)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::date[], $5::date[], $6::numeric[]) AS r
ON CONFLICT (tenant, zone, lot, day, known_day) DO UPDATE
SET quantity = ledger_lot_day.quantity + excluded.quantity

-- name: ledger_add_goods_days
-- The same over all lots.
INSERT INTO ledger_goods_day
    (tenant, zone, queue, account, booked_day, known_day, quantity, customs)
SELECT $1, $2, r.* FROM unnest($3::int[], $4::text[], $5::date[], $6::date[], $7::numeric[], $8::numeric[]) AS r
ON CONFLICT (tenant, zone, queue, account, booked_day, known_day) DO UPDATE
SET quantity = ledger_goods_day.quantity + excluded.quantity,
    customs = ledger_goods_day.customs + excluded.customs

-- name: ledger_add_goods_months
-- The same by months.
INSERT INTO ledger_goods_month
    (tenant, zone, queue, account, booked_month, known_month, quantity, customs)
SELECT $1, $2, r.* FROM unnest($3::int[], $4::text[], $5::date[], $6::date[], $7::numeric[], $8::numeric[]) AS r
ON CONFLICT (tenant, zone, queue, account, booked_month, known_month) DO UPDATE
SET quantity = ledger_goods_month.quantity + excluded.quantity,
    customs = ledger_goods_month.customs + excluded.customs

-- name: ledger_add_lots
-- What stands in the zone's hands of lots, and when they moved first and last. Places only grow.
INSERT INTO ledger_lot (tenant, zone, lot, owner, product, status, document, line, first_booked, last_booked,
    first_place, first_seq, last_place, last_seq, on_hand, customs_on_hand)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::timestamptz[], $10::timestamptz[], $11::int[], $12::bigint[], $13::int[], $14::bigint[], $15::numeric[],
    $16::numeric[]) AS r
ON CONFLICT (tenant, zone, lot, owner, product, status) DO UPDATE
SET document = coalesce(ledger_lot.document, excluded.document),
    line = coalesce(ledger_lot.line, excluded.line),
    first_booked = least(ledger_lot.first_booked, excluded.first_booked),
    last_booked = greatest(ledger_lot.last_booked, excluded.last_booked),
    last_place = excluded.last_place, last_seq = excluded.last_seq,
    on_hand = ledger_lot.on_hand + excluded.on_hand,
    customs_on_hand = ledger_lot.customs_on_hand + excluded.customs_on_hand

-- name: ledger_put_papers
-- What papers say of lots now.
INSERT INTO ledger_paper (tenant, zone, lot, quantity, customs)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::numeric[], $5::numeric[]) AS r
ON CONFLICT (tenant, zone, lot) DO UPDATE SET quantity = excluded.quantity, customs = excluded.customs

-- name: ledger_add_words
-- Words to search by.
INSERT INTO ledger_word (tenant, zone, word, kind, ref)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::text[], $5::text[]) AS r
ON CONFLICT (tenant, zone, word, kind, ref) DO NOTHING
