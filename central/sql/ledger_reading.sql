-- SPDX-License-Identifier: Apache-2.0
-- Reading the zone's ledger. Each list goes by a key, a page after a key. A balance as of $t and as known on a
-- place is the sum of the days before both, and of the postings of the days of both.

-- name: ledger_known_on
-- The last place of the own log that was written by an instant, and its day.
SELECT place, seq, day FROM ledger_known
WHERE tenant = $1 AND zone = $2 AND at <= $3 ORDER BY place DESC, seq DESC LIMIT 1

-- name: ledger_lots_open
-- Lots with something in the zone's hands, after a key.
SELECT lot, owner, product, status, document, line, first_booked, last_booked, on_hand, customs_on_hand
FROM ledger_lot
WHERE tenant = $1 AND zone = $2 AND on_hand <> 0 AND (lot, owner, product, status) > ($3, $4, $5, $6)
    AND ($7 = '' OR owner = $7) AND ($8 = '' OR product = $8) AND ($9 = '' OR status = $9)
ORDER BY lot, owner, product, status LIMIT $10

-- name: ledger_lots_then
-- Lots that may have had something in the zone's hands as of $11, as known on $12 and $13, after a key.
SELECT lot, owner, product, status, document, line, first_booked, last_booked, on_hand, customs_on_hand
FROM ledger_lot
WHERE tenant = $1 AND zone = $2 AND (lot, owner, product, status) > ($3, $4, $5, $6)
    AND ($7 = '' OR owner = $7) AND ($8 = '' OR product = $8) AND ($9 = '' OR status = $9)
    AND first_booked <= $11 AND (first_place, first_seq) <= ($12, $13)
    AND (on_hand <> 0 OR last_booked > $11 OR (last_place, last_seq) > ($12, $13))
ORDER BY lot, owner, product, status LIMIT $10

-- name: ledger_balances_now
-- Balances of some lots.
SELECT d.lot, q.owner, q.product, q.status, d.account, sum(d.quantity) AS quantity, sum(d.customs) AS customs
FROM ledger_day d JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = d.queue
WHERE d.tenant = $1 AND d.zone = $2 AND d.lot = ANY($3::text[])
GROUP BY d.lot, q.owner, q.product, q.status, d.account
HAVING sum(d.quantity) <> 0 OR sum(d.customs) <> 0

-- name: ledger_balances_then
-- Balances of some lots as of $4, as known on $5 and $6, whose day is $7.
SELECT m.lot, q.owner, q.product, q.status, m.account, sum(m.quantity) AS quantity, sum(m.customs) AS customs
FROM (
    SELECT lot, queue, account, quantity, customs FROM ledger_day
    WHERE tenant = $1 AND zone = $2 AND lot = ANY($3::text[])
        AND booked_day < ($4::timestamptz AT TIME ZONE 'UTC')::date AND known_day < $7
    UNION ALL
    SELECT p.lot, p.queue, a.account, a.sign * p.quantity, a.sign * p.customs
    FROM (
        -- The day it is booked on.
        SELECT * FROM posting
        WHERE tenant = $1 AND zone = $2 AND lot = ANY($3::text[]) AND booked <= $4
            AND booked >= date_trunc('day', $4::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            AND (known_place, known_seq) <= ($5, $6)
        UNION ALL
        -- The day it is known on, of what was booked on days before.
        SELECT p.* FROM ledger_known k CROSS JOIN LATERAL (
            -- Kept apart, so that a day's postings are read, never all of a lot.
            SELECT * FROM posting
            WHERE tenant = $1 AND zone = $2 AND known_place = k.place AND known_seq = k.seq OFFSET 0
        ) p
        WHERE k.tenant = $1 AND k.zone = $2 AND k.day = $7 AND (k.place, k.seq) <= ($5, $6)
            AND p.lot = ANY($3::text[])
            AND p.booked < date_trunc('day', $4::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    ) p
    CROSS JOIN LATERAL (VALUES (p.account_from, -1), (p.account_to, 1)) AS a (account, sign)
) m JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = m.queue
GROUP BY m.lot, q.owner, q.product, q.status, m.account
HAVING sum(m.quantity) <> 0 OR sum(m.customs) <> 0

-- name: ledger_goods
-- Goods that may stand for each other, with the numbers of their queues, after a key.
SELECT owner, product, status, array_agg(queue ORDER BY queue) AS queues FROM ledger_queue
WHERE tenant = $1 AND zone = $2 AND (owner, product, status) > ($3, $4, $5)
    AND ($6 = '' OR owner = $6) AND ($7 = '' OR product = $7)
GROUP BY owner, product, status ORDER BY owner, product, status LIMIT $8

-- name: ledger_goods_then
-- Balances of the goods of some queues as of $4, as known on $5 and $6, whose day is $7.
SELECT q.owner, q.product, q.status, m.account, sum(m.quantity) AS quantity, sum(m.customs) AS customs
FROM (
    -- The months before both times, then the days before both in the month of the one or of the other.
    SELECT queue, account, quantity, customs FROM ledger_goods_month
    WHERE tenant = $1 AND zone = $2 AND queue = ANY($3::int[])
        AND booked_month < date_trunc('month', $4::timestamptz AT TIME ZONE 'UTC')::date
        AND known_month < date_trunc('month', $7::date)::date
    UNION ALL
    SELECT queue, account, quantity, customs FROM ledger_goods_day
    WHERE tenant = $1 AND zone = $2 AND queue = ANY($3::int[])
        AND booked_day < ($4::timestamptz AT TIME ZONE 'UTC')::date AND known_day < $7
        AND booked_day >= date_trunc('month', $4::timestamptz AT TIME ZONE 'UTC')::date
    UNION ALL
    SELECT queue, account, quantity, customs FROM ledger_goods_day
    WHERE tenant = $1 AND zone = $2 AND queue = ANY($3::int[])
        AND booked_day < date_trunc('month', $4::timestamptz AT TIME ZONE 'UTC')::date
        AND known_day < $7 AND known_day >= date_trunc('month', $7::date)::date
    UNION ALL
    SELECT p.queue, a.account, a.sign * p.quantity, a.sign * p.customs
    FROM (
        -- The day it is booked on.
        SELECT * FROM posting
        WHERE tenant = $1 AND zone = $2 AND queue = ANY($3::int[]) AND booked <= $4
            AND booked >= date_trunc('day', $4::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
            AND (known_place, known_seq) <= ($5, $6)
        UNION ALL
        -- The day it is known on, of what was booked on days before.
        SELECT p.* FROM ledger_known k CROSS JOIN LATERAL (
            -- Kept apart, so that a day's postings are read, never all of a lot.
            SELECT * FROM posting
            WHERE tenant = $1 AND zone = $2 AND known_place = k.place AND known_seq = k.seq OFFSET 0
        ) p
        WHERE k.tenant = $1 AND k.zone = $2 AND k.day = $7 AND (k.place, k.seq) <= ($5, $6)
            AND p.queue = ANY($3::int[])
            AND p.booked < date_trunc('day', $4::timestamptz AT TIME ZONE 'UTC') AT TIME ZONE 'UTC'
    ) p
    CROSS JOIN LATERAL (VALUES (p.account_from, -1), (p.account_to, 1)) AS a (account, sign)
) m JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = m.queue
GROUP BY q.owner, q.product, q.status, m.account
HAVING sum(m.quantity) <> 0 OR sum(m.customs) <> 0


-- name: ledger_lot
-- One lot; more than one row where owners, products or statuses share its name.
SELECT lot, owner, product, status, document, line, first_booked, last_booked, on_hand, customs_on_hand
FROM ledger_lot WHERE tenant = $1 AND zone = $2 AND lot = $3 ORDER BY owner, product, status

-- name: ledger_days_of_lot
-- How much more of a lot was in the zone's hands day by day, as known by the end of $4.
SELECT day, sum(quantity) AS quantity FROM ledger_lot_day
WHERE tenant = $1 AND zone = $2 AND lot = $3 AND known_day <= $4
GROUP BY day ORDER BY day

-- name: ledger_story
-- Postings of a lot with the movement or act that each is of, after a key, as known on a place.
SELECT p.booked, p.happened, p.known_place, p.known_seq, p.fact, p.n, p.ordinal,
    p.source::text AS entry_id, p.account_from, p.account_to, p.quantity, p.customs,
    q.owner, q.product, p.booked <> p.happened AS late, k.at AS known_at, f.picked, coalesce(w.places, '{}') AS places,
    m.type, m.node, m.epoch, m.seq, m.door, m.job, m.key, m.sscc, m.permit, m.line, m.reason, c.conveyance
FROM posting p
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = p.queue
JOIN ledger_known k ON k.tenant = $1 AND k.zone = $2 AND k.place = p.known_place AND k.seq = p.known_seq
LEFT JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = p.fact AND f.n = p.n
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = p.source
LEFT JOIN conveyance c ON c.tenant = $1 AND c.zone = $2 AND c.job = m.job
LEFT JOIN LATERAL (
    -- Where its load came to stand, or from where it left.
    SELECT array_agg(DISTINCT at.place ORDER BY at.place) AS places FROM (
        SELECT CASE WHEN l.turn = 0 THEN l.place_to ELSE l.place_from END AS place FROM location_posting l
        WHERE l.tenant = $1 AND l.zone = $2 AND l.load = m.key AND l.happened = m.occurred_at
            AND l.fact = m.entry_id AND (l.known_place, l.known_seq) <= ($10, $11)
        GROUP BY 1 HAVING sum(l.quantity) <> 0
    ) at
) w ON true
WHERE p.tenant = $1 AND p.zone = $2 AND p.lot = $3
    AND (p.booked, p.known_place, p.known_seq, p.fact, p.n, p.ordinal) > ($4, $5, $6, $7, $8, $9)
    AND (p.known_place, p.known_seq) <= ($10, $11)
ORDER BY p.booked, p.known_place, p.known_seq, p.fact, p.n, p.ordinal LIMIT $12

-- name: ledger_records
-- The records of some entries; a fact in two epochs once.
SELECT DISTINCT ON (entry_id) entry_id::text AS entry_id, node, epoch, seq, type, record FROM entry
WHERE tenant = $1 AND zone = $2 AND entry_id = ANY($3::uuid[]) ORDER BY entry_id, node, epoch

-- name: ledger_records_at
-- The records at some places of nodes' logs.
SELECT e.entry_id::text AS entry_id, e.node, e.epoch, e.seq, e.type, e.record
FROM unnest($3::text[], $4::text[], $5::bigint[]) AS r (node, epoch, seq)
JOIN entry e ON e.tenant = $1 AND e.zone = $2 AND e.node = r.node AND e.epoch = r.epoch AND e.seq = r.seq

-- name: ledger_made_of
-- Which lots were made of which by a status change or a work order that a lot took part in, on either side.
SELECT m.lot AS made, o.lot AS of, a.source::text AS entry_id, o.account_to AS account, o.quantity
FROM (
    SELECT DISTINCT source FROM posting
    WHERE tenant = $1 AND zone = $2 AND lot = $3
        AND (account_to IN ('restatus', 'consumed') OR account_from IN ('restatus', 'made'))
) a
CROSS JOIN LATERAL (
    SELECT lot, account_to, sum(quantity) AS quantity FROM posting
    WHERE tenant = $1 AND zone = $2 AND source = a.source AND account_to IN ('restatus', 'consumed')
    GROUP BY lot, account_to HAVING sum(quantity) <> 0
) o
CROSS JOIN LATERAL (
    SELECT DISTINCT lot FROM posting
    WHERE tenant = $1 AND zone = $2 AND source = a.source AND account_from IN ('restatus', 'made')
) m
WHERE o.lot = $3 OR m.lot = $3
ORDER BY m.lot, o.lot, a.source LIMIT $4

-- name: ledger_overdraws
-- Goods that left and no layer was left for, newest first, after a key.
SELECT t.fact, t.n, f.source::text AS entry_id, q.owner, q.product, q.status, q.place, t.quantity, f.happened,
    f.booked, f.account, m.permit, m.line, m.job, m.door, m.node, m.key
FROM ledger_taken t
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = t.fact AND f.n = t.n
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = f.queue
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = f.source
WHERE t.tenant = $1 AND t.zone = $2 AND t.layer = '' AND (t.fact, t.n) < ($3, $4)
ORDER BY t.fact DESC, t.n DESC LIMIT $5

-- name: ledger_overdrawn
-- Goods that left and no layer was left for, but for those that are named: the newest.
SELECT t.fact, t.n, f.source::text AS entry_id, q.owner, q.product, q.status, t.quantity, f.account, m.permit,
    m.door, m.node, m.key, m.sscc
FROM ledger_taken t
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = t.fact AND f.n = t.n
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = f.queue
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = f.source
WHERE t.tenant = $1 AND t.zone = $2 AND t.layer = '' AND (t.fact || ':' || t.n) <> ALL ($3::text[])
ORDER BY t.fact DESC, t.n DESC LIMIT $4

-- name: ledger_late
-- Facts that happened in the time of a pinned cut and became known after it, newest first, after a key.
SELECT f.booked, f.fact, f.n, f.source::text AS entry_id, q.owner, q.product, q.status, q.place, f.leaves,
    f.lot, f.quantity, f.account, f.happened, k.at AS known_at
FROM ledger_fact f
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = f.queue
JOIN ledger_known k ON k.tenant = $1 AND k.zone = $2 AND k.place = f.known_place AND k.seq = f.known_seq
WHERE f.tenant = $1 AND f.zone = $2 AND f.booked <> f.happened AND (f.booked, f.fact, f.n) < ($3, $4, $5)
ORDER BY f.booked DESC, f.fact DESC, f.n DESC LIMIT $6

-- name: ledger_differences
-- Where what is on the floor is not what the ledger says stands in the zone. What is in work or on its way is
-- on no load; what people put on the books without naming loads stands beside, for it is on none.
SELECT owner, product, status, sum(physical) AS physical, sum(legal) AS legal, sum(acts) AS acts,
    sum(overdrawn) AS overdrawn
FROM (
    SELECT h.owner, coalesce(nullif(h.gtin, ''), h.key) AS product, h.status, h.quantity AS physical, 0 AS legal,
        0 AS acts, 0 AS overdrawn
    FROM holding h WHERE h.tenant = $1 AND h.zone = $2 AND h.quantity <> 0
    UNION ALL
    SELECT q.owner, q.product, q.status, 0,
        CASE WHEN d.account = q.place AND q.place <> 'overdrawn' AND q.place NOT LIKE 'wip:%'
            AND q.place NOT LIKE 'in-transit:%' THEN d.quantity ELSE 0 END,
        CASE WHEN d.account IN ('restatus', 'adjusted', 'opening', 'casualty')
            THEN -d.quantity ELSE 0 END,
        CASE WHEN d.account = 'overdrawn' THEN d.quantity ELSE 0 END
    FROM ledger_goods_day d JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = d.queue
    WHERE d.tenant = $1 AND d.zone = $2
    UNION ALL
    SELECT a.owner, a.product, a.status, 0, 0, -a.quantity, 0
    FROM act_load a WHERE a.tenant = $1 AND a.zone = $2
) sides
GROUP BY owner, product, status
HAVING sum(physical) + sum(acts) <> sum(legal) AND (owner, product, status) > ($3, $4, $5)
ORDER BY owner, product, status LIMIT $6

-- name: ledger_words
-- What people search by and begins with $6, whatever its case, after a key. $7 is the last sign there is.
SELECT word, kind, ref FROM ledger_word
WHERE tenant = $1 AND zone = $2 AND (lower(word), word, kind, ref) > (lower($3::text COLLATE "C"), $3, $4, $5)
    AND lower(word) >= lower($6::text COLLATE "C") AND lower(word) < lower($6::text COLLATE "C") || $7
ORDER BY lower(word), word, kind, ref LIMIT $8

-- name: ledger_of_load
-- The entries by which a load crossed, newest first, with the lots that they are posted to.
SELECT m.entry_id::text AS entry_id, m.type, m.key, m.sscc, m.gtin, m.owner, m.status, m.quantity, m.unit,
    m.permit, m.line, m.job, m.occurred_at,
    ARRAY(SELECT DISTINCT p.lot FROM posting p
        WHERE p.tenant = $1 AND p.zone = $2 AND p.source = m.entry_id ORDER BY p.lot) AS lots
FROM movement m WHERE m.tenant = $1 AND m.zone = $2 AND m.key = ANY($3::text[])
ORDER BY m.entry_id DESC LIMIT $4

-- name: ledger_of_job
-- The lots that the loads of a truck are posted to.
SELECT DISTINCT p.lot, p.account_from, p.account_to FROM movement m
JOIN posting p ON p.tenant = $1 AND p.zone = $2 AND p.source = m.entry_id
WHERE m.tenant = $1 AND m.zone = $2 AND m.job = $3 ORDER BY p.lot LIMIT $4

-- name: ledger_all_cuts
-- Pinned cuts, the newest first.
SELECT c.number, c.place, c.seq, c.entry_id::text AS entry_id, c.until, c.digest, e.received_at AS at
FROM ledger_cut c JOIN entry e ON e.tenant = $1 AND e.zone = $2 AND e.entry_id = c.entry_id
WHERE c.tenant = $1 AND c.zone = $2 ORDER BY c.place DESC, c.seq DESC

-- name: cut_balances
-- All balances up to an instant, by the postings that were known before a place.
SELECT q.owner, q.product, q.status, m.lot, m.account, sum(m.quantity) AS quantity, sum(m.customs) AS customs
FROM (
    SELECT p.queue, p.lot, a.account, sum(a.sign * p.quantity) AS quantity, sum(a.sign * p.customs) AS customs
    FROM posting p CROSS JOIN LATERAL (VALUES (p.account_from, -1), (p.account_to, 1)) AS a (account, sign)
    WHERE p.tenant = $1 AND p.zone = $2 AND p.booked <= $3 AND (p.known_place, p.known_seq) < ($4, $5)
    GROUP BY p.queue, p.lot, a.account
) m
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = m.queue
GROUP BY q.owner, q.product, q.status, m.lot, m.account
HAVING sum(m.quantity) <> 0 OR sum(m.customs) <> 0

-- name: cut_takes
-- What each fact of a time moved of each lot, as it was drawn before a place.
SELECT fact, n, lot, account_from, account_to, sum(quantity) AS quantity, sum(customs) AS customs
FROM posting
WHERE tenant = $1 AND zone = $2 AND booked <= $3 AND booked > $6 AND (known_place, known_seq) < ($4, $5)
GROUP BY fact, n, lot, account_from, account_to
HAVING sum(quantity) <> 0 OR sum(customs) <> 0
ORDER BY fact, n, lot, account_from, account_to

-- name: cut_before
-- The cut that was pinned last before a place.
SELECT number, until, digest FROM ledger_cut
WHERE tenant = $1 AND zone = $2 AND (place, seq) < ($3, $4) ORDER BY place DESC, seq DESC LIMIT 1

-- name: cut_of
-- A cut by its number.
SELECT number, place, seq, entry_id::text AS entry_id, until, digest FROM ledger_cut
WHERE tenant = $1 AND zone = $2 AND number = $3

-- name: books_at
-- The place that the books have come to.
SELECT place, seq FROM projection_cursor WHERE tenant = $1 AND zone = $2

-- name: ledger_left
-- What is left in a queue, by lot; of one lot unless $7 is null.
SELECT l.lot, sum(l.quantity_left) AS quantity
FROM ledger_queue q JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue
WHERE q.tenant = $1 AND q.zone = $2 AND q.owner = $3 AND q.product = $4 AND q.status = $5 AND q.place = $6
    AND l.quantity_left > 0 AND ($7::text IS NULL OR l.lot = $7)
GROUP BY l.lot ORDER BY l.lot

-- name: ledger_in_suspense
-- What is left in suspense of an owner's products, the oldest deposit first, with the load that each was on.
SELECT q.product, l.lot, l.quantity_left AS quantity, m.key
FROM ledger_queue q
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = left(l.fifo_fact, 36)::uuid
WHERE q.tenant = $1 AND q.zone = $2 AND q.owner = $3 AND q.product = ANY ($4::text[])
    AND q.status = 'SUSPENSE' AND q.place = 'stock'
ORDER BY l.fifo_booked, l.fifo_turn, l.fifo_happened, l.fifo_fact, l.fifo_n, l.booked, l.fact, l.n

-- name: ledger_admitted_now
-- Goods that came by an entry: when they are booked, what is left of them, and what of them was taken by the
-- name of their lot.
SELECT l.booked, l.quantity_left AS left, (
    SELECT coalesce(sum(t.quantity), 0) FROM ledger_taken t
    JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = t.fact AND f.n = t.n AND f.lot IS NOT NULL
    WHERE t.tenant = $1 AND t.zone = $2 AND t.layer = l.fact AND t.layer_n = l.n
) AS bound
FROM ledger_layer l WHERE l.tenant = $1 AND l.zone = $2 AND l.fact = $3

-- name: ledger_picked_up
-- What was picked up under a document, by lot, whether it has arrived or not.
SELECT f.lot, sum(f.quantity) AS quantity
FROM ledger_queue q
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.queue = q.queue AND f.account = 'abroad'
    AND NOT f.leaves
WHERE q.tenant = $1 AND q.zone = $2 AND q.place = $3
GROUP BY f.lot

-- name: ledger_made_in_stock
-- A lot in a queue, or the one of $7, that came from the account $8 and of which something is left.
SELECT l.lot
FROM ledger_queue q
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = l.fact AND f.n = l.n
WHERE q.tenant = $1 AND q.zone = $2 AND q.owner = $3 AND q.product = $4 AND q.status = $5 AND q.place = $6
    AND ($7::text IS NULL OR l.lot = $7) AND f.account = $8
LIMIT 1

-- name: ledger_left_at
-- What is left at one place, by owner, product and status.
SELECT q.owner, q.product, q.status, sum(l.quantity_left) AS quantity
FROM ledger_queue q JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue
WHERE q.tenant = $1 AND q.zone = $2 AND q.place = $3 AND l.quantity_left > 0
GROUP BY q.owner, q.product, q.status ORDER BY q.owner, q.product, q.status

-- name: ledger_stock_in_line
-- Layers of an owner's goods at a place with something left, in line, up to $7.
SELECT l.queue, l.fact, l.n, l.booked, l.happened, l.fifo_booked, l.fifo_happened, l.fifo_fact, l.fifo_n,
    l.turn, l.fifo_turn, l.lot, l.quantity, l.customs, l.quantity_left, l.customs_left
FROM ledger_queue q
JOIN ledger_layer l ON l.tenant = $1 AND l.zone = $2 AND l.queue = q.queue AND l.quantity_left > 0
WHERE q.tenant = $1 AND q.zone = $2 AND q.owner = $3 AND q.product = $4 AND q.status = $5 AND q.place = $6
ORDER BY l.fifo_booked, l.fifo_happened, l.fifo_fact, l.fifo_n LIMIT $7

-- name: ledger_made_lot
-- How much of a product was made as a lot, how much of it is left, and the entry that says so.
SELECT min(f.source::text) AS entry_id, sum(l.quantity) AS made, sum(l.quantity_left) AS left
FROM ledger_layer l
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = l.fact AND f.n = l.n
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = l.queue
WHERE l.tenant = $1 AND l.zone = $2 AND l.lot = $3 AND q.product = $4 AND f.account = $5
HAVING count(*) > 0

-- name: ledger_taken_by
-- What a fact took, by layer in line; without what was not there.
SELECT lot, quantity, customs FROM ledger_taken
WHERE tenant = $1 AND zone = $2 AND fact = $3 AND n = $4 AND layer <> '' ORDER BY ordinal

-- name: ledger_drawn
-- What was used up of the goods at some places, in line: what orders drew, without what went back.
SELECT q.place, q.product, q.status, t.lot, t.quantity, t.customs
FROM ledger_queue q
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.queue = q.queue AND f.leaves AND f.account = $4
JOIN ledger_taken t ON t.tenant = $1 AND t.zone = $2 AND t.fact = f.fact AND t.n = f.n
WHERE q.tenant = $1 AND q.zone = $2 AND q.place = ANY($3::text[])
ORDER BY q.place, q.product, q.status, f.fact, f.n, t.ordinal

-- name: ledger_left_before
-- How much of some lots that came to be here had left an account before goods of them first went to each of
-- some others.
SELECT DISTINCT ON (place, lot) place, lot, quantity FROM (
    SELECT p.lot, p.account_to AS place, p.booked,
        coalesce(sum(CASE WHEN p.account_from = $4 THEN p.quantity ELSE -p.quantity END) OVER (
            PARTITION BY p.lot ORDER BY p.booked
            RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW EXCLUDE GROUP
        ), 0) AS quantity
    FROM posting p
    WHERE p.tenant = $1 AND p.zone = $2 AND p.lot = ANY($3::text[]) AND $4 IN (p.account_from, p.account_to)
        AND p.account_from NOT IN ('made', 'restatus', 'adjusted') AND p.account_to <> 'made'
        AND EXISTS (SELECT FROM posting m WHERE m.tenant = $1 AND m.zone = $2 AND m.lot = p.lot
            AND m.account_from IN ('made', 'restatus'))
) gone
WHERE place = ANY($5::text[])
ORDER BY place, lot, booked

-- name: trace_makers
-- Lots that came from some accounts: how much, and the entries that say so.
SELECT l.lot, q.owner, q.product, q.status, f.source::text AS entry_id, sum(l.quantity) AS quantity,
    sum(l.customs) AS customs
FROM ledger_layer l
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = l.fact AND f.n = l.n
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = l.queue
WHERE l.tenant = $1 AND l.zone = $2 AND l.lot = ANY($3::text[]) AND f.account = ANY($4::text[])
GROUP BY l.lot, q.owner, q.product, q.status, f.source
ORDER BY l.lot, q.owner, q.product, q.status, f.source

-- name: trace_restated
-- What some changes of status took, by layer in line; without what was not there.
SELECT f.source::text AS entry_id, t.lot, q.product, q.status, t.quantity, t.customs
FROM ledger_fact f
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = f.queue
JOIN ledger_taken t ON t.tenant = $1 AND t.zone = $2 AND t.fact = f.fact AND t.n = f.n AND t.layer <> ''
WHERE f.tenant = $1 AND f.zone = $2 AND f.source = ANY($3::uuid[]) AND f.leaves AND f.account = 'restatus'
ORDER BY f.fact, f.n, t.ordinal

-- name: trace_went_into
-- Lots that an order or a change of status made of some lots. Each is looked up by itself: many that are few.
SELECT DISTINCT r.lot AS of, m.lot AS made
FROM unnest($3::text[]) AS r (lot)
CROSS JOIN LATERAL (
    SELECT source FROM posting
    WHERE tenant = $1 AND zone = $2 AND lot = r.lot
        AND (account_to IN ('restatus', 'consumed') OR account_from IN ('restatus', 'made'))
    GROUP BY source
    HAVING sum(CASE WHEN account_to IN ('restatus', 'consumed') THEN quantity ELSE 0 END) <> 0 OFFSET 0
) o
CROSS JOIN LATERAL (
    SELECT lot FROM posting
    WHERE tenant = $1 AND zone = $2 AND source = o.source AND account_from IN ('restatus', 'made') OFFSET 0
) m
ORDER BY 1, 2

-- name: trace_gone
-- What of some lots left the zone's hands, or stock for a work order or another status, in the order in which
-- it left; without what came back in the same fact. Below zero is what was given back.
SELECT p.lot, q.owner, q.product, p.account_from, p.account_to, m.permit, m.line, p.booked, p.fact, p.n,
    sum(p.quantity) AS quantity, sum(p.customs) AS customs
FROM posting p
JOIN ledger_queue q ON q.tenant = $1 AND q.zone = $2 AND q.queue = p.queue
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = p.source
WHERE p.tenant = $1 AND p.zone = $2 AND p.lot = ANY($3::text[]) AND 'stock' IN (p.account_from, p.account_to)
    AND p.account_from NOT IN ('abroad', 'arrived', 'opening', 'adjusted', 'made', 'restatus')
    AND p.account_to <> 'made'
    AND p.account_from NOT LIKE 'in-transit:%' AND p.account_to NOT LIKE 'in-transit:%'
GROUP BY p.lot, q.owner, q.product, p.account_from, p.account_to, m.permit, m.line, p.booked, p.fact, p.n
HAVING sum(p.quantity) <> 0
ORDER BY p.lot, p.booked, p.fact, p.n, p.account_to

-- name: units_of
-- The units that quantities of products are said in.
SELECT gtin, unit FROM product WHERE tenant = $1 AND zone = $2 AND gtin = ANY($3::text[])
