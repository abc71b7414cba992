-- SPDX-License-Identifier: Apache-2.0
-- Loads that work orders put goods on, and the zone lots that those were made as.
CREATE TABLE made_load (
    tenant text NOT NULL,
    zone text NOT NULL,
    entry_id uuid NOT NULL,
    key text NOT NULL,
    lot text NOT NULL
);
CREATE INDEX made_load_by_key ON made_load (tenant, zone, key, entry_id);
