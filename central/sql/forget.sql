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
