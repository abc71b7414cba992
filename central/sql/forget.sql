-- SPDX-License-Identifier: Apache-2.0
-- Emptying one zone's books before they are made again. Never the record.

-- name: forget_planned_load
-- Before its trucks, which it refers to.
DELETE FROM planned_load WHERE tenant = $1 AND zone = $2

-- name: forget_conveyance
-- Trucks.
DELETE FROM conveyance WHERE tenant = $1 AND zone = $2

-- name: forget_job
-- Door jobs.
DELETE FROM job WHERE tenant = $1 AND zone = $2

-- name: forget_product
-- Products.
DELETE FROM product WHERE tenant = $1 AND zone = $2

-- name: forget_permit
-- Permits.
DELETE FROM permit WHERE tenant = $1 AND zone = $2

-- name: forget_permit_line
-- Permit lines with what is lent and used.
DELETE FROM permit_line WHERE tenant = $1 AND zone = $2

-- name: forget_movement
-- Movements; their entries stay.
DELETE FROM movement WHERE tenant = $1 AND zone = $2

-- name: forget_holding
-- Holdings.
DELETE FROM holding WHERE tenant = $1 AND zone = $2

-- name: forget_made_load
-- Loads that work orders put goods on; their entries stay.
DELETE FROM made_load WHERE tenant = $1 AND zone = $2

-- name: forget_act_load
-- Loads that people's acts named; their entries stay.
DELETE FROM act_load WHERE tenant = $1 AND zone = $2

-- name: forget_refusal
-- Holds and STOPs.
DELETE FROM refusal WHERE tenant = $1 AND zone = $2

-- name: forget_unreadable
-- Entries that could not be read: they are tried again.
DELETE FROM unreadable WHERE tenant = $1 AND zone = $2

-- name: forget_folded
-- Which facts the books contain.
DELETE FROM folded WHERE tenant = $1 AND zone = $2

-- name: forget_seen
-- How far each node log was taken.
DELETE FROM seen WHERE tenant = $1 AND zone = $2

-- name: forget_posting
-- Postings, in a rebuild alone.
DELETE FROM posting WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_known
-- When facts became known.
DELETE FROM ledger_known WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_queue
-- Queues of goods.
DELETE FROM ledger_queue WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_fact
-- What the ledger was told.
DELETE FROM ledger_fact WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_layer
-- Layers of goods.
DELETE FROM ledger_layer WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_taken
-- What was taken of them.
DELETE FROM ledger_taken WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_day
-- Sums by day.
DELETE FROM ledger_day WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_lot
-- Zone lots.
DELETE FROM ledger_lot WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_word
-- Words to search by.
DELETE FROM ledger_word WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_election
-- Elections; their entries stay.
DELETE FROM ledger_election WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_cut
-- Cuts; their entries stay.
DELETE FROM ledger_cut WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_lot_day
-- What of lots was in the zone's hands day by day.
DELETE FROM ledger_lot_day WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_calendar
-- The zone's calendars; their entries stay.
DELETE FROM ledger_calendar WHERE tenant = $1 AND zone = $2

-- name: forget_dataset_row
-- Rows of customs data; their entries stay.
DELETE FROM dataset_row WHERE tenant = $1 AND zone = $2

-- name: forget_dataset
-- Datasets of customs data.
DELETE FROM dataset WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_paper
-- What papers say of lots.
DELETE FROM ledger_paper WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_factor
-- What products are to customs.
DELETE FROM ledger_factor WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_goods_day
-- Sums by day over all lots.
DELETE FROM ledger_goods_day WHERE tenant = $1 AND zone = $2

-- name: forget_ledger_goods_month
-- Sums by month over all lots.
DELETE FROM ledger_goods_month WHERE tenant = $1 AND zone = $2

-- name: forget_location
-- Declared locations; their entries stay.
DELETE FROM location WHERE tenant = $1 AND zone = $2

-- name: forget_location_closing
-- Closings of locations; their entries stay.
DELETE FROM location_closing WHERE tenant = $1 AND zone = $2

-- name: forget_location_posting
-- What moved from place to place, in a rebuild alone.
DELETE FROM location_posting WHERE tenant = $1 AND zone = $2

-- name: forget_location_now
-- What stands where.
DELETE FROM location_now WHERE tenant = $1 AND zone = $2

-- name: forget_put_away
-- Loads that were put away; their entries stay.
DELETE FROM put_away WHERE tenant = $1 AND zone = $2
