-- SPDX-License-Identifier: Apache-2.0
-- Goods that are not wholly in: in suspense, or picked up and on their way.

-- name: waiting_deposits
-- The movements by which goods came into suspense.
SELECT entry_id::text AS entry_id, node, door, key, sscc, occurred_at FROM movement
WHERE tenant = $1 AND zone = $2 AND entry_id = ANY($3::uuid[])

-- name: waiting_long
-- Lots of which something is in suspense since before $3, but for those that are named: the oldest.
SELECT l.lot, q.owner, q.product, sum(l.quantity_left) AS quantity, min(l.fifo_happened) AS since,
    min(m.node) AS node, min(m.door) AS door, min(m.sscc) AS sscc, min(m.key) AS key
FROM ledger_queue q
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = left(l.fifo_fact, 36)::uuid
WHERE q.tenant = $1 AND q.zone = $2 AND q.status = 'SUSPENSE' AND l.fifo_happened < $3
    AND l.lot <> ALL ($4::text[])
GROUP BY l.lot, q.owner, q.product
ORDER BY min(l.fifo_happened), l.lot LIMIT $5

-- name: waiting_of
-- What is in suspense of some owners' products.
SELECT q.owner, q.product, sum(l.quantity_left) AS quantity
FROM unnest($3::text[], $4::text[]) AS r (owner, product)
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.owner = r.owner AND q.product = r.product
    AND q.status = 'SUSPENSE'
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
GROUP BY q.owner, q.product ORDER BY q.owner, q.product

-- name: waiting_ways
-- Queues of goods on their way, after a number, with the oldest pick-up of what is left; as of $4 where it is
-- not null, of all that there was by then.
SELECT q.queue, q.owner, q.product, q.status, q.place, l.happened AS since, left(l.fact, 36) AS entry_id
FROM ledger_queue q
CROSS JOIN LATERAL (
    SELECT happened, fact FROM ledger_layer
    WHERE tenant = $1 AND zone = $2 AND queue = q.queue AND quantity_left > 0 AND $4::timestamptz IS NULL
    UNION ALL
    SELECT happened, fact FROM ledger_fact
    WHERE tenant = $1 AND zone = $2 AND queue = q.queue AND NOT leaves AND booked <= $4
    ORDER BY happened, fact LIMIT 1
) l
WHERE q.tenant = $1 AND q.zone = $2 AND q.place >= 'in-transit:' AND q.place < 'in-transit;' AND q.queue > $3
ORDER BY q.queue LIMIT $5

-- name: waiting_on_the_way
-- Pick-ups from before $3 of which something has not arrived, but for those that are named: the oldest.
SELECT l.fact, l.n, l.lot, q.owner, q.product, l.quantity_left AS quantity, l.happened AS since
FROM ledger_queue q
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
WHERE q.tenant = $1 AND q.zone = $2 AND q.place >= 'in-transit:' AND q.place < 'in-transit;'
    AND l.happened < $3 AND (l.fact || ':' || l.n) <> ALL ($4::text[])
ORDER BY l.happened, l.fact, l.n LIMIT $5

-- name: waiting_over
-- What was admitted under documents beyond what was picked up under them, where something was.
SELECT q.owner, q.product, q.status, q.place,
    -sum(m.quantity) FILTER (WHERE m.account = 'arrived') AS quantity
FROM ledger_queue q
JOIN ledger_goods_month m ON m.tenant = $1 AND m.zone = $2 AND m.queue = q.queue
    AND m.account IN ('abroad', 'arrived')
WHERE q.tenant = $1 AND q.zone = $2 AND q.place >= 'in-transit:' AND q.place < 'in-transit;'
GROUP BY q.queue, q.owner, q.product, q.status, q.place
HAVING sum(m.quantity) FILTER (WHERE m.account = 'abroad') < 0
    AND sum(m.quantity) FILTER (WHERE m.account = 'arrived') < 0
ORDER BY q.queue DESC LIMIT $3
