-- SPDX-License-Identifier: Apache-2.0
-- What the center must remember of docks beside their logs, and ways to find rare entries.

-- Signed heads ahead of what is stored of their log: the chain must come to each of them, also after a restart.
-- A row goes when it has.
CREATE TABLE claim (
    tenant text NOT NULL,
    zone text NOT NULL,
    node text NOT NULL,
    epoch text NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL,
    signature text NOT NULL,
    PRIMARY KEY (tenant, zone, node, epoch, seq)
);

-- Entries dated more than a day ahead of their arrival: their dock's clock is wrong, or it lies.
CREATE INDEX entry_ahead ON entry (tenant, zone, node, epoch, seq)
    WHERE occurred_at - received_at > interval '24 hours';

-- The own log by type: what people filed, what nodes were retired. And what nodes told again.
CREATE INDEX entry_own ON entry (tenant, zone, type, epoch, seq) WHERE node = 'center';
CREATE INDEX entry_adopt ON entry (tenant, zone) WHERE type = 'adopt' AND node <> 'center';
