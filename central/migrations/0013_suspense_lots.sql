-- SPDX-License-Identifier: Apache-2.0
-- Deposits are listed apart from all other lots, of which there are many more.
CREATE INDEX ledger_lot_in_suspense ON ledger_lot (tenant, zone, lot, owner, product) WHERE status = 'SUSPENSE';
