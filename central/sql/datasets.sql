-- SPDX-License-Identifier: Apache-2.0
-- Tables of customs data: what a dataset entry and its rows write, and what is asked of them.

-- name: put_dataset
-- A dataset's header; it is not in force yet.
INSERT INTO dataset (tenant, zone, dataset, kind, name, file, sha256, rows, parts, supersedes_from, by, at, entry_id)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)

-- name: take_rows
-- One more part of a dataset has come, by an entry of this epoch and seq of the own log.
UPDATE dataset SET taken = taken + 1, known_seq = $5,
    known_order = (SELECT h.place FROM log_head h
        WHERE h.tenant = $1 AND h.zone = $2 AND h.node = 'center' AND h.epoch = $4)
WHERE tenant = $1 AND zone = $2 AND dataset = $3

-- name: datasets_known
-- Datasets in force of some kinds that were known at a place of the own log, in the order they came.
SELECT dataset, kind, name, file, sha256, rows, supersedes_from, by, at, entry_id, known_order, known_seq
FROM dataset
WHERE tenant = $1 AND zone = $2 AND kind = ANY($3) AND taken = parts AND (known_order, known_seq) <= ($4, $5)
ORDER BY known_order, known_seq

-- name: last_dataset
-- The dataset of one kind that was taken last: the same file again brings nothing.
SELECT sha256, supersedes_from FROM dataset
WHERE tenant = $1 AND zone = $2 AND kind = $3 AND taken = parts
ORDER BY known_order DESC, known_seq DESC LIMIT 1

-- name: dataset_rows
-- All rows of some datasets.
SELECT dataset, number, key, body FROM dataset_row
WHERE tenant = $1 AND zone = $2 AND dataset = ANY($3::uuid[])
ORDER BY dataset, number

-- name: rows_of_keys
-- Rows of one kind under some keys, of datasets in force known at a place of the own log, in the order they came.
SELECT r.dataset, r.number, r.key, r.valid_from, r.valid_to, r.body, d.name, d.sha256, d.supersedes_from,
    d.known_order, d.known_seq
FROM dataset_row r
JOIN dataset d ON d.tenant = $1 AND d.zone = $2 AND d.dataset = r.dataset
WHERE r.tenant = $1 AND r.zone = $2 AND r.kind = $3 AND r.key = ANY($4) AND d.taken = d.parts
    AND (d.known_order, d.known_seq) <= ($5, $6)
ORDER BY d.known_order, d.known_seq, r.number
