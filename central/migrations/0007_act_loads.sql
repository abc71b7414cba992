-- SPDX-License-Identifier: Apache-2.0
-- What people put on the books by name of loads: so much came on a load or left it (below zero), in a status.
-- `lot` is the zone lot that a load is of from then on, none where goods left it.
CREATE TABLE act_load (
    tenant text NOT NULL,
    zone text NOT NULL,
    entry_id uuid NOT NULL,
    key text NOT NULL,
    owner text NOT NULL,
    status text NOT NULL,
    product text NOT NULL,
    lot text,
    quantity numeric NOT NULL,
    PRIMARY KEY (tenant, zone, entry_id, key, status, quantity)
);
CREATE INDEX act_load_by_key ON act_load (tenant, zone, key, entry_id) WHERE lot IS NOT NULL;
