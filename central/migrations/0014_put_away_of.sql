-- SPDX-License-Identifier: Apache-2.0
-- A put-away is looked up by its entry when it is corrected.

CREATE INDEX put_away_of ON put_away (tenant, zone, fact, n);
