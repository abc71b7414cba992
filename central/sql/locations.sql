-- SPDX-License-Identifier: Apache-2.0
-- Where in the zone goods stand: what folding it reads and writes, then what is read of it. Folding takes all
-- of a page at once, a column an argument.

-- name: location_corrected
-- The loads of some movements, and when they crossed.
SELECT entry_id::text AS entry_id, key, occurred_at FROM movement
WHERE tenant = $1 AND zone = $2 AND entry_id = ANY($3::uuid[])

-- name: location_of_loads
-- What of some loads stands where now.
SELECT load, owner, product, status, lot, place, quantity FROM location_now
WHERE tenant = $1 AND zone = $2 AND load = ANY($3::text[])

-- name: location_moves_from
-- What moved some loads from an instant on.
SELECT load, happened, turn, fact::text AS fact, n, owner, product, status, lot, place_from, place_to, said,
    quantity
FROM location_posting WHERE tenant = $1 AND zone = $2 AND load = ANY($3::text[]) AND happened >= $4

-- name: location_puts_from
-- How some loads were put away from an instant on.
SELECT load, happened, fact::text AS fact, n, known_place, known_seq, place_to, place_from, quantity
FROM put_away WHERE tenant = $1 AND zone = $2 AND load = ANY($3::text[]) AND happened >= $4

-- name: location_gone
-- Where loads stood, before it is written as it is now.
DELETE FROM location_now WHERE tenant = $1 AND zone = $2 AND load = ANY($3::text[])

-- name: location_put_away
-- Loads that were put away, and what was found of them.
INSERT INTO put_away (tenant, zone, load, happened, fact, n, known_place, known_seq, place_to, place_from,
    quantity, found, lacks)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::timestamptz[], $5::uuid[], $6::int[], $7::int[], $8::bigint[],
    $9::text[], $10::text[], $11::numeric[], $12::numeric[], $13::boolean[]) AS r
ON CONFLICT (tenant, zone, load, happened, fact, n) DO UPDATE SET found = excluded.found, lacks = excluded.lacks

-- name: location_never_put
-- Put-aways that were told and never were.
DELETE FROM put_away p USING unnest($3::text[], $4::timestamptz[], $5::uuid[], $6::int[]) AS r (load, happened, fact, n)
WHERE p.tenant = $1 AND p.zone = $2 AND p.load = r.load AND p.happened = r.happened AND p.fact = r.fact AND p.n = r.n

-- name: location_declare
-- Locations as they are declared now.
INSERT INTO location (tenant, zone, name, description)
SELECT $1, $2, r.* FROM unnest($3::text[], $4::text[]) AS r
ON CONFLICT (tenant, zone, name) DO UPDATE SET description = excluded.description

-- name: location_names
-- Declared locations.
SELECT name, description FROM location WHERE tenant = $1 AND zone = $2 ORDER BY name

-- name: location_puts_of
-- What of a put-away stands as it was told, in the order in which it was.
SELECT load, n, happened, place_to, place_from, quantity FROM put_away
WHERE tenant = $1 AND zone = $2 AND fact = $3 ORDER BY n

-- name: location_closings
-- The last closing or opening of some locations as of $4, as known at $5.
SELECT DISTINCT ON (name) name, closed, happened AS since, at AS known_at, entry_id::text AS entry_id
FROM location_closing
WHERE tenant = $1 AND zone = $2 AND name = ANY($3::text[]) AND happened <= $4 AND at <= $5
ORDER BY name, happened DESC, place DESC, seq DESC

-- name: location_put_last
-- What was put at a location last, by what stands as it was told.
SELECT load, happened FROM put_away
WHERE tenant = $1 AND zone = $2 AND place_to = $3 ORDER BY happened DESC LIMIT 1

-- name: location_loads_at
-- The loads that stand at a location now.
SELECT DISTINCT load FROM location_now WHERE tenant = $1 AND zone = $2 AND place = $3 ORDER BY load

-- name: location_lacking
-- Loads that were put away and were not there then, but for those that are named: the newest; when they had
-- left, when they came, and whether they stood anywhere.
SELECT p.load, p.happened, p.fact::text AS fact, p.n, p.place_to, p.place_from, p.quantity, p.found, s.left_at,
    s.came_at, s.elsewhere
FROM put_away p
CROSS JOIN LATERAL (
    SELECT max(m.happened) FILTER (WHERE m.turn = 2 AND m.happened < p.happened) AS left_at,
        min(m.happened) FILTER (WHERE m.turn = 0 AND m.happened > p.happened) AS came_at,
        sum(m.quantity) FILTER (WHERE m.turn = 0 AND m.happened <= p.happened)
            > coalesce(sum(m.quantity) FILTER (WHERE m.turn = 2 AND m.happened < p.happened), 0) AS elsewhere
    FROM (
        SELECT happened, turn, sum(quantity) AS quantity FROM location_posting
        WHERE tenant = $1 AND zone = $2 AND load = p.load
        GROUP BY happened, turn, fact, n HAVING sum(quantity) <> 0
    ) m
) s
WHERE p.tenant = $1 AND p.zone = $2 AND p.lacks AND (p.fact::text || ':' || p.n) <> ALL ($3::text[])
ORDER BY p.fact DESC, p.n DESC LIMIT $4

-- name: location_all
-- Declared locations, and others where something stands now, each with its loads, after a name.
SELECT coalesce(d.name, n.place) AS name, coalesce(d.description, '') AS description,
    d.name IS NOT NULL AS declared, coalesce(n.loads, 0) AS loads, coalesce((
        SELECT c.closed FROM location_closing c WHERE c.tenant = $1 AND c.zone = $2 AND c.name = d.name
        ORDER BY c.happened DESC, c.place DESC, c.seq DESC LIMIT 1
    ), false) AS closed
FROM (SELECT name, description FROM location WHERE tenant = $1 AND zone = $2) d
FULL JOIN (
    SELECT place, count(DISTINCT load) AS loads FROM location_now WHERE tenant = $1 AND zone = $2 GROUP BY place
) n ON n.place = d.name
WHERE coalesce(d.name, n.place) > $3
ORDER BY coalesce(d.name, n.place) LIMIT $4

-- name: location_one
-- A location as it is declared.
SELECT description FROM location WHERE tenant = $1 AND zone = $2 AND name = $3

-- name: location_ever
-- Whether anything ever came to a place.
SELECT 1 FROM location_posting WHERE tenant = $1 AND zone = $2 AND place_to = $3 AND place_to <> '~outside' LIMIT 1

-- name: location_content_now
-- What stands at a place now, after a key.
SELECT load, owner, product, status, lot, quantity FROM location_now
WHERE tenant = $1 AND zone = $2 AND place = $3 AND (load, owner, product, status, lot) > ($4, $5, $6, $7, $8)
ORDER BY load, owner, product, status, lot LIMIT $9

-- name: location_loads_of
-- Loads that ever stood at a place, after one.
SELECT DISTINCT load FROM location_posting
WHERE tenant = $1 AND zone = $2 AND place_to = $3 AND place_to <> '~outside' AND load > $4
ORDER BY load LIMIT $5

-- name: location_content_then
-- What of some loads stood at a place as of $5, as known on $6 and $7.
SELECT load, owner, product, status, lot,
    sum(CASE WHEN place_to = $3 THEN quantity ELSE -quantity END) AS quantity
FROM location_posting
WHERE tenant = $1 AND zone = $2 AND load = ANY($4::text[]) AND $3 IN (place_from, place_to)
    AND happened <= $5 AND (known_place, known_seq) <= ($6, $7)
GROUP BY load, owner, product, status, lot
HAVING sum(CASE WHEN place_to = $3 THEN quantity ELSE -quantity END) <> 0
ORDER BY load, owner, product, status, lot

-- name: location_known_as
-- Under which of some names a load ever stood somewhere, or was put away.
SELECT k.load FROM unnest($3::text[]) AS k (load)
WHERE EXISTS (SELECT FROM location_posting m WHERE m.tenant = $1 AND m.zone = $2 AND m.load = k.load)
    OR EXISTS (SELECT FROM put_away p WHERE p.tenant = $1 AND p.zone = $2 AND p.load = k.load)

-- name: location_of_load_then
-- Where a load stood as of $4, as known on $5 and $6.
SELECT m.owner, m.product, m.status, m.lot, a.place, sum(a.sign * m.quantity) AS quantity
FROM location_posting m CROSS JOIN LATERAL (VALUES (m.place_from, -1), (m.place_to, 1)) AS a (place, sign)
WHERE m.tenant = $1 AND m.zone = $2 AND m.load = $3 AND m.happened <= $4
    AND (m.known_place, m.known_seq) <= ($5, $6) AND a.place <> '~outside'
GROUP BY m.owner, m.product, m.status, m.lot, a.place HAVING sum(a.sign * m.quantity) <> 0
ORDER BY a.place, m.owner, m.product, m.status, m.lot

-- name: location_moves_of
-- What moved a load, in order, after a key, as known on $8 and $9.
SELECT m.happened, m.known_place, m.known_seq, m.ordinal, k.at AS known_at, m.fact::text AS entry_id,
    m.place_from, m.place_to, m.owner, m.product, m.status, m.lot, m.quantity
FROM location_posting m
JOIN ledger_known k ON k.tenant = $1 AND k.zone = $2 AND k.place = m.known_place AND k.seq = m.known_seq
WHERE m.tenant = $1 AND m.zone = $2 AND m.load = $3
    AND (m.happened, m.known_place, m.known_seq, m.ordinal) > ($4, $5, $6, $7)
    AND (m.known_place, m.known_seq) <= ($8, $9)
ORDER BY m.happened, m.known_place, m.known_seq, m.ordinal LIMIT $10

-- name: location_absent
-- Where a load was put away and was not, as the books have it.
SELECT happened, fact::text AS entry_id, place_to FROM put_away
WHERE tenant = $1 AND zone = $2 AND load = $3 AND lacks ORDER BY happened, fact, n LIMIT $4

-- name: location_of_lots_now
-- Where goods that were brought in as some lots stand now.
SELECT lot, owner, product, status, place, sum(quantity) AS quantity FROM location_now
WHERE tenant = $1 AND zone = $2 AND lot = ANY($3::text[])
GROUP BY lot, owner, product, status, place ORDER BY place

-- name: location_of_lots_then
-- Where they stood as of $4, as known on $5 and $6.
SELECT m.lot, m.owner, m.product, m.status, a.place, sum(a.sign * m.quantity) AS quantity
FROM (
    SELECT lot, owner, product, status, place_from, place_to, sum(quantity) AS quantity FROM location_posting
    WHERE tenant = $1 AND zone = $2 AND lot = ANY($3::text[]) AND happened <= $4
        AND (known_place, known_seq) <= ($5, $6)
    GROUP BY lot, owner, product, status, place_from, place_to
) m CROSS JOIN LATERAL (VALUES (m.place_from, -1), (m.place_to, 1)) AS a (place, sign)
WHERE a.place <> '~outside'
GROUP BY m.lot, m.owner, m.product, m.status, a.place HAVING sum(a.sign * m.quantity) <> 0
ORDER BY a.place

-- name: location_lots_now
-- Lots of which something stands at the place $11 now, after a key; as `ledger_lots_open`.
SELECT lot, owner, product, status, document, line, first_booked, last_booked, on_hand, customs_on_hand
FROM ledger_lot
WHERE tenant = $1 AND zone = $2 AND (lot, owner, product, status) > ($3, $4, $5, $6)
    AND ($7 = '' OR owner = $7) AND ($8 = '' OR product = $8) AND ($9 = '' OR status = $9)
    AND (lot, owner, product, status) IN (
        SELECT n.lot, n.owner, n.product, n.status FROM location_now n
        WHERE n.tenant = $1 AND n.zone = $2 AND n.place = $11
    )
ORDER BY lot, owner, product, status LIMIT $10

-- name: location_lots_then
-- The same as of $12, as known on $13 and $14.
SELECT lot, owner, product, status, document, line, first_booked, last_booked, on_hand, customs_on_hand
FROM ledger_lot
WHERE tenant = $1 AND zone = $2 AND (lot, owner, product, status) > ($3, $4, $5, $6)
    AND ($7 = '' OR owner = $7) AND ($8 = '' OR product = $8) AND ($9 = '' OR status = $9)
    AND (lot, owner, product, status) IN (
        SELECT m.lot, m.owner, m.product, m.status FROM location_posting m
        WHERE m.tenant = $1 AND m.zone = $2 AND $11 IN (m.place_from, m.place_to)
            AND m.load IN (
                SELECT t.load FROM location_posting t
                WHERE t.tenant = $1 AND t.zone = $2 AND t.place_to = $11 AND t.place_to <> '~outside'
            )
            AND m.happened <= $12 AND (m.known_place, m.known_seq) <= ($13, $14)
        GROUP BY m.lot, m.owner, m.product, m.status
        HAVING sum(CASE WHEN m.place_to = $11 THEN m.quantity ELSE -m.quantity END) <> 0
    )
ORDER BY lot, owner, product, status LIMIT $10

-- name: location_puts_of_lot
-- How goods of a lot were moved within the zone, the latest first, as known on $4 and $5.
SELECT happened, fact::text AS entry_id, load, product, place_from, place_to, sum(quantity) AS quantity
FROM location_posting
WHERE tenant = $1 AND zone = $2 AND lot = $3 AND turn = 1 AND (known_place, known_seq) <= ($4, $5)
GROUP BY happened, fact, n, load, product, place_from, place_to HAVING sum(quantity) <> 0
ORDER BY happened DESC, fact DESC, n DESC LIMIT $6
