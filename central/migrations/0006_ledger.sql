-- SPDX-License-Identifier: Apache-2.0
-- The zone's ledger: goods by owner, lot and status, in double entry and at two times. Made of the entries by
-- customs.ledger; every row can be made again. Texts that decide an order are compared by their bytes, as the
-- program compares them, whatever the server's locale is.

-- Own entries that brought facts: by them "known on" a date becomes a place. `day` never goes back, also
-- where the center's clock did.
CREATE TABLE ledger_known (
    tenant text NOT NULL,
    zone text NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    at timestamptz NOT NULL,
    day date NOT NULL,
    PRIMARY KEY (tenant, zone, place, seq)
);
CREATE INDEX ledger_known_by_time ON ledger_known (tenant, zone, at, place, seq);

-- Goods that may stand for each other. `place` is the account they stand on.
CREATE TABLE ledger_queue (
    tenant text NOT NULL,
    zone text NOT NULL,
    queue integer NOT NULL,
    owner text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    place text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, zone, queue),
    UNIQUE (tenant, zone, owner, product, status, place)
);
CREATE INDEX ledger_queue_by_place ON ledger_queue (tenant, zone, place);

-- What the books were told, as it stands: what was corrected in the open period is not here any more. The key
-- is the order of the queue. `account` is where goods that came are from, or where those that left went;
-- `source` is the entry that tells it, which for goods that came on from another queue names that one's.
CREATE TABLE ledger_fact (
    tenant text NOT NULL,
    zone text NOT NULL,
    queue integer NOT NULL,
    booked timestamptz NOT NULL,
    turn smallint NOT NULL,
    happened timestamptz NOT NULL,
    fact text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    leaves boolean NOT NULL,
    source uuid NOT NULL,
    known_place integer NOT NULL,
    known_seq bigint NOT NULL,
    lot text COLLATE "C",
    quantity numeric NOT NULL,
    customs numeric,
    account text COLLATE "C",
    onward integer,
    picked text COLLATE "C",
    fifo_booked timestamptz,
    fifo_turn smallint,
    fifo_happened timestamptz,
    fifo_fact text COLLATE "C",
    fifo_n integer,
    PRIMARY KEY (tenant, zone, queue, booked, turn, happened, fact, n),
    UNIQUE (tenant, zone, fact, n)
);
CREATE INDEX ledger_fact_by_source ON ledger_fact (tenant, zone, source);
CREATE INDEX ledger_fact_late ON ledger_fact (tenant, zone, booked, fact, n) WHERE booked <> happened;

-- Goods that came by one fact, and what is left of them.
CREATE TABLE ledger_layer (
    tenant text NOT NULL,
    zone text NOT NULL,
    queue integer NOT NULL,
    fact text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    booked timestamptz NOT NULL,
    turn smallint NOT NULL,
    happened timestamptz NOT NULL,
    fifo_booked timestamptz NOT NULL,
    fifo_turn smallint NOT NULL,
    fifo_happened timestamptz NOT NULL,
    fifo_fact text COLLATE "C" NOT NULL,
    fifo_n integer NOT NULL,
    lot text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    quantity_left numeric NOT NULL CHECK (quantity_left >= 0),
    customs_left numeric NOT NULL CHECK (customs_left >= 0),
    PRIMARY KEY (tenant, zone, fact, n)
);
CREATE INDEX ledger_layer_open ON ledger_layer (
    tenant, zone, queue, fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened, fact, n
) WHERE quantity_left > 0;
CREATE INDEX ledger_layer_open_of_lot ON ledger_layer (
    tenant, zone, queue, lot, fifo_booked, fifo_turn, fifo_happened, fifo_fact, fifo_n, booked, turn, happened,
    fact, n
) WHERE quantity_left > 0;
CREATE INDEX ledger_layer_by_lot ON ledger_layer (tenant, zone, lot);

-- What each fact that left took of each layer, as it is drawn now, and where that stood in the line. An empty
-- `layer` is none: overdrawn.
CREATE TABLE ledger_taken (
    tenant text NOT NULL,
    zone text NOT NULL,
    fact text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    layer text COLLATE "C" NOT NULL,
    layer_n integer NOT NULL,
    ordinal integer NOT NULL,
    lot text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    fifo_booked timestamptz NOT NULL,
    fifo_turn smallint NOT NULL,
    fifo_happened timestamptz NOT NULL,
    fifo_fact text COLLATE "C" NOT NULL,
    fifo_n integer NOT NULL,
    PRIMARY KEY (tenant, zone, fact, n, layer, layer_n)
);
CREATE INDEX ledger_taken_of_layer ON ledger_taken (tenant, zone, layer, layer_n);
CREATE INDEX ledger_overdrawn ON ledger_taken (tenant, zone, fact, n) WHERE layer = '';

-- Double entry: a quantity of one lot moved from one account to another. Both may be negative: a contra
-- posting. Never changed; a rebuild, which makes all of them again, says so first.
CREATE TABLE posting (
    tenant text NOT NULL,
    zone text NOT NULL,
    known_place integer NOT NULL,
    known_seq bigint NOT NULL,
    fact text COLLATE "C" NOT NULL,
    n integer NOT NULL,
    ordinal integer NOT NULL,
    source uuid NOT NULL,
    queue integer NOT NULL,
    lot text COLLATE "C" NOT NULL,
    account_from text COLLATE "C" NOT NULL,
    account_to text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    booked timestamptz NOT NULL,
    happened timestamptz NOT NULL,
    PRIMARY KEY (tenant, zone, known_place, known_seq, fact, n, ordinal)
);
CREATE INDEX posting_by_lot ON posting
    (tenant, zone, lot, booked, known_place, known_seq, fact, n, ordinal);
CREATE INDEX posting_by_queue ON posting (tenant, zone, queue, booked);
CREATE INDEX posting_by_fact ON posting (tenant, zone, source);

-- The few by which goods become other goods.
CREATE INDEX posting_remade ON posting (tenant, zone, lot, source)
    WHERE account_to IN ('restatus', 'consumed') OR account_from IN ('restatus', 'made');

CREATE FUNCTION refuse_posting_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('zonegate.rebuild', true) = 'on' THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION 'postings are never changed or deleted; a correction is posted';
END $$;

CREATE TRIGGER posting_is_append_only AFTER UPDATE OR DELETE OR TRUNCATE ON posting
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_posting_change();

-- Sums of postings by account and by the days they are booked and known on: a balance at any two times is the
-- sum of the days before both, and of the postings of the days of both.
CREATE TABLE ledger_day (
    tenant text NOT NULL,
    zone text NOT NULL,
    lot text COLLATE "C" NOT NULL,
    queue integer NOT NULL,
    account text COLLATE "C" NOT NULL,
    booked_day date NOT NULL,
    known_day date NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    PRIMARY KEY (tenant, zone, lot, queue, account, booked_day, known_day)
);


-- The same over all lots of a queue.
CREATE TABLE ledger_goods_day (
    tenant text NOT NULL,
    zone text NOT NULL,
    queue integer NOT NULL,
    account text COLLATE "C" NOT NULL,
    booked_day date NOT NULL,
    known_day date NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    PRIMARY KEY (tenant, zone, queue, account, booked_day, known_day)
);
CREATE INDEX ledger_goods_day_known ON ledger_goods_day (tenant, zone, queue, known_day);

-- The same by months, so that a zone's tenth year costs no more than its first; each month is its first day.
CREATE TABLE ledger_goods_month (
    tenant text NOT NULL,
    zone text NOT NULL,
    queue integer NOT NULL,
    account text COLLATE "C" NOT NULL,
    booked_month date NOT NULL,
    known_month date NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    PRIMARY KEY (tenant, zone, queue, account, booked_month, known_month)
);

-- Zone lots of one owner's product in one status; `on_hand` is what of it stands in the zone's hands now.
CREATE TABLE ledger_lot (
    tenant text NOT NULL,
    zone text NOT NULL,
    lot text COLLATE "C" NOT NULL,
    owner text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    status text COLLATE "C" NOT NULL,
    document text COLLATE "C",
    line text COLLATE "C",
    first_booked timestamptz NOT NULL,
    last_booked timestamptz NOT NULL,
    first_place integer NOT NULL,
    first_seq bigint NOT NULL,
    last_place integer NOT NULL,
    last_seq bigint NOT NULL,
    on_hand numeric NOT NULL,
    customs_on_hand numeric NOT NULL,
    PRIMARY KEY (tenant, zone, lot, owner, product, status)
);
CREATE INDEX ledger_lot_open ON ledger_lot (tenant, zone, lot, owner, product, status) WHERE on_hand <> 0;
CREATE INDEX ledger_lot_of_owner ON ledger_lot (tenant, zone, owner, product, status, lot);

-- Words that people search by, each once: a lot, a document, a product, an owner, a truck, an order. `ref`
-- leads on: the lot that it is of, the job of a truck.
CREATE TABLE ledger_word (
    tenant text NOT NULL,
    zone text NOT NULL,
    word text COLLATE "C" NOT NULL,
    kind text COLLATE "C" NOT NULL,
    ref text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant, zone, word, kind, ref)
);
CREATE INDEX ledger_word_in_any_case ON ledger_word (tenant, zone, lower(word), word, kind, ref);

-- What admission papers say of a lot in both units, as the latest of them has it.
CREATE TABLE ledger_paper (
    tenant text NOT NULL,
    zone text NOT NULL,
    lot text COLLATE "C" NOT NULL,
    quantity numeric NOT NULL,
    customs numeric NOT NULL,
    PRIMARY KEY (tenant, zone, lot)
);

-- Customs units of one unit of an owner's product, each from a day on. `ordinal` counts the rows of one entry.
CREATE TABLE ledger_factor (
    tenant text NOT NULL,
    zone text NOT NULL,
    owner text COLLATE "C" NOT NULL,
    product text COLLATE "C" NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    ordinal integer NOT NULL,
    since date NOT NULL,
    factor numeric NOT NULL,
    PRIMARY KEY (tenant, zone, owner, product, place, seq, ordinal)
);

-- Dated elections of how goods are attributed; without a product, of all of an owner's.
CREATE TABLE ledger_election (
    tenant text NOT NULL,
    zone text NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    owner text NOT NULL,
    product text,
    method text NOT NULL,
    since timestamptz NOT NULL,
    authority text NOT NULL,
    PRIMARY KEY (tenant, zone, place, seq)
);

-- Pinned cuts: from its place on, nothing is booked at or before `until`.
CREATE TABLE ledger_cut (
    tenant text NOT NULL,
    zone text NOT NULL,
    number text COLLATE "C" NOT NULL,
    place integer NOT NULL,
    seq bigint NOT NULL,
    entry_id uuid NOT NULL,
    until timestamptz NOT NULL,
    digest text NOT NULL,
    PRIMARY KEY (tenant, zone, number)
);
