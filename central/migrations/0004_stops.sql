-- SPDX-License-Identifier: Apache-2.0
-- A way to find the STOPs of docks, of which those that were not obeyed are cases.

CREATE INDEX entry_stop ON entry (tenant, zone, entry_id DESC) WHERE type = 'stop' AND node <> 'center';
