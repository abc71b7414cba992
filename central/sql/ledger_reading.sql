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
SELECT booked_day, sum(quantity) AS quantity FROM ledger_day
WHERE tenant = $1 AND zone = $2 AND lot = $3 AND known_day <= $4
    AND (account = 'stock' OR account LIKE 'wip:%' OR account LIKE 'constructive:%')
GROUP BY booked_day ORDER BY booked_day

-- name: ledger_story
-- Postings of a lot with the movement or act that each is of, after a key, as known on a place.
SELECT p.booked, p.happened, p.known_place, p.known_seq, p.fact, p.n, p.ordinal,
    p.source::text AS entry_id, p.account_from, p.account_to, p.quantity, p.customs,
    p.booked <> p.happened AS late, k.at AS known_at, f.picked,
    m.type, m.node, m.epoch, m.seq, m.door, m.job, m.key, m.sscc, m.permit, m.line, m.reason, c.conveyance
FROM posting p
JOIN ledger_known k ON k.tenant = $1 AND k.zone = $2 AND k.place = p.known_place AND k.seq = p.known_seq
LEFT JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.fact = p.fact AND f.n = p.n
LEFT JOIN movement m ON m.tenant = $1 AND m.zone = $2 AND m.entry_id = p.source
LEFT JOIN conveyance c ON c.tenant = $1 AND c.zone = $2 AND c.job = m.job
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
-- Where what is on the floor is not what the ledger says stands in the zone. What is in work is on no load;
-- what people put on the books without naming loads stands beside, for it is on none.
SELECT owner, product, status, sum(physical) AS physical, sum(legal) AS legal, sum(acts) AS acts,
    sum(overdrawn) AS overdrawn
FROM (
    SELECT h.owner, coalesce(h.gtin, h.key) AS product, h.status, h.quantity AS physical, 0 AS legal,
        0 AS acts, 0 AS overdrawn
    FROM holding h WHERE h.tenant = $1 AND h.zone = $2 AND h.quantity <> 0
    UNION ALL
    SELECT q.owner, q.product, q.status, 0,
        CASE WHEN d.account = q.place AND q.place <> 'overdrawn' AND q.place NOT LIKE 'wip:%'
            THEN d.quantity ELSE 0 END,
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
-- What was used up of the goods at a place, in line: what an order drew, without what went back.
SELECT q.product, q.status, t.lot, t.quantity, t.customs
FROM ledger_queue q
JOIN ledger_fact f ON f.tenant = $1 AND f.zone = $2 AND f.queue = q.queue AND f.leaves AND f.account = $4
JOIN ledger_taken t ON t.tenant = $1 AND t.zone = $2 AND t.fact = f.fact AND t.n = f.n
WHERE q.tenant = $1 AND q.zone = $2 AND q.place = $3
ORDER BY q.product, q.status, f.fact, f.n, t.ordinal

-- name: ledger_left_before
-- How much of a lot had left an account before goods of it first went to another.
SELECT coalesce(sum(CASE WHEN p.account_from = $4 THEN p.quantity ELSE -p.quantity END), 0) AS quantity
FROM posting p
WHERE p.tenant = $1 AND p.zone = $2 AND p.lot = $3 AND $4 IN (p.account_from, p.account_to)
    AND p.account_from <> 'made' AND p.booked < (SELECT min(o.booked) FROM posting o
        WHERE o.tenant = $1 AND o.zone = $2 AND o.lot = $3 AND o.account_to = $5)

