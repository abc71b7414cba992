-- SPDX-License-Identifier: Apache-2.0
-- What is in suspense is asked for with every page, and is little: it is found without the other goods.
CREATE INDEX ledger_queue_in_suspense ON ledger_queue (tenant, zone, queue) WHERE status = 'SUSPENSE';
