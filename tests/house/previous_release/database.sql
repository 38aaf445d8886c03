SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET default_tablespace = '';
CREATE TABLE public.accounts (
    account text NOT NULL,
    broker text NOT NULL,
    currency text DEFAULT 'USD'::text NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.alembic_version (
    version_num character varying(32) NOT NULL
);
CREATE TABLE public.alerts (
    account text NOT NULL,
    id uuid NOT NULL,
    rule text NOT NULL,
    subject text NOT NULL,
    severity text NOT NULL,
    message text NOT NULL,
    data jsonb NOT NULL,
    order_id uuid,
    count integer DEFAULT 1 NOT NULL,
    at timestamp with time zone NOT NULL,
    raised_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    acknowledged_at timestamp with time zone,
    acknowledged_by text,
    CONSTRAINT ck_alerts_severity CHECK ((severity = ANY (ARRAY['info'::text, 'warning'::text, 'error'::text, 'critical'::text])))
);
CREATE TABLE public.api_keys (
    id text NOT NULL,
    secret_sha256 bytea NOT NULL,
    name text NOT NULL,
    scopes text[] NOT NULL,
    accounts text[],
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    revoked_at timestamp with time zone,
    last_used_at timestamp with time zone
);
CREATE TABLE public.children (
    account text NOT NULL,
    id text NOT NULL,
    order_id uuid NOT NULL,
    number integer NOT NULL,
    epoch bigint NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric NOT NULL,
    price numeric NOT NULL,
    purpose text NOT NULL,
    time_in_force text NOT NULL,
    status text NOT NULL,
    intended_at timestamp with time zone NOT NULL,
    quote_at timestamp with time zone NOT NULL,
    filled numeric DEFAULT 0 NOT NULL,
    broker_order_id text,
    cancel_requested_at timestamp with time zone,
    reason text,
    why jsonb NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_children_id CHECK ((id ~ '^[a-z0-9-]{1,18}$'::text)),
    CONSTRAINT ck_children_quantities CHECK (((qty > (0)::numeric) AND (price > (0)::numeric) AND (filled >= (0)::numeric))),
    CONSTRAINT ck_children_status CHECK ((status = ANY (ARRAY['intent'::text, 'sent'::text, 'working'::text, 'partially_filled'::text, 'unknown'::text, 'filled'::text, 'canceled'::text, 'rejected'::text, 'expired'::text]))),
    CONSTRAINT ck_children_time_in_force CHECK ((time_in_force = ANY (ARRAY['ioc'::text, 'day'::text, 'opg'::text, 'cls'::text])))
);
CREATE TABLE public.controls (
    scope text NOT NULL,
    name text NOT NULL,
    halted boolean DEFAULT false NOT NULL,
    reason text,
    version bigint DEFAULT 0 NOT NULL,
    changed_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_controls_scope CHECK ((scope = ANY (ARRAY['all'::text, 'account'::text, 'strategy'::text, 'symbol'::text])))
);
CREATE TABLE public.events (
    id bigint NOT NULL,
    xid xid8 DEFAULT pg_current_xact_id() NOT NULL,
    account text NOT NULL,
    order_id uuid,
    seq bigint,
    type text NOT NULL,
    at timestamp with time zone NOT NULL,
    recorded_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    data jsonb NOT NULL,
    CONSTRAINT ck_events_seq CHECK (((order_id IS NULL) = (seq IS NULL)))
);
ALTER TABLE public.events ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.events_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);
CREATE TABLE public.fills (
    account text NOT NULL,
    broker text NOT NULL,
    execution_id text NOT NULL,
    order_id uuid NOT NULL,
    child_id text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    qty numeric NOT NULL,
    price numeric NOT NULL,
    fee numeric NOT NULL,
    liquidity text NOT NULL,
    at timestamp with time zone NOT NULL,
    booked_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_fills_quantities CHECK (((qty > (0)::numeric) AND (price > (0)::numeric) AND (qty < 'Infinity'::numeric) AND (price < 'Infinity'::numeric)))
);
CREATE TABLE public.idempotency (
    key_id text NOT NULL,
    key text NOT NULL,
    body_sha256 bytea NOT NULL,
    account text NOT NULL,
    order_id uuid NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.instruments (
    symbol text NOT NULL,
    tick numeric NOT NULL,
    lot numeric NOT NULL,
    min_qty numeric NOT NULL,
    calendar text NOT NULL,
    currency text NOT NULL,
    CONSTRAINT ck_instruments_grid CHECK (((tick > (0)::numeric) AND (lot > (0)::numeric) AND (min_qty > (0)::numeric)))
);
CREATE TABLE public.leases (
    name text NOT NULL,
    owner text,
    epoch bigint DEFAULT 0 NOT NULL,
    until timestamp with time zone,
    free_since timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.market_clock (
    one boolean DEFAULT true NOT NULL,
    feed text NOT NULL,
    now timestamp with time zone NOT NULL,
    stepped boolean NOT NULL,
    speed numeric NOT NULL,
    held boolean DEFAULT false NOT NULL,
    told_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_market_clock_one CHECK (one)
);
CREATE TABLE public.meta (
    key text NOT NULL,
    value text NOT NULL
);
CREATE TABLE public.orders (
    account text NOT NULL,
    id uuid NOT NULL,
    key text NOT NULL,
    client_order_id text NOT NULL,
    body_sha256 bytea NOT NULL,
    broker text NOT NULL,
    key_id text NOT NULL,
    signal_id uuid,
    strategy text,
    tags jsonb DEFAULT '[]'::jsonb NOT NULL,
    symbol text NOT NULL,
    instrument jsonb NOT NULL,
    side text NOT NULL,
    qty numeric NOT NULL,
    notional numeric,
    algo text NOT NULL,
    algo_version integer NOT NULL,
    asked_algo text NOT NULL,
    route_reason text,
    params jsonb NOT NULL,
    limit_price numeric,
    start_at timestamp with time zone NOT NULL,
    end_at timestamp with time zone NOT NULL,
    session_opens_at timestamp with time zone NOT NULL,
    session_closes_at timestamp with time zone NOT NULL,
    curve jsonb NOT NULL,
    seed text NOT NULL,
    max_participation numeric,
    max_quote_age_us bigint NOT NULL,
    collar numeric NOT NULL,
    urgency text NOT NULL,
    time_in_force text NOT NULL,
    on_restart text NOT NULL,
    take_profit numeric,
    stop_loss numeric,
    group_id uuid,
    role text DEFAULT 'single'::text NOT NULL,
    reduce_only boolean DEFAULT false NOT NULL,
    status text NOT NULL,
    reason text,
    anchor_at timestamp with time zone NOT NULL,
    anchor_done numeric DEFAULT 0 NOT NULL,
    filled numeric DEFAULT 0 NOT NULL,
    working numeric DEFAULT 0 NOT NULL,
    unknown numeric DEFAULT 0 NOT NULL,
    canceled numeric DEFAULT 0 NOT NULL,
    excess numeric DEFAULT 0 NOT NULL,
    filled_notional numeric DEFAULT 0 NOT NULL,
    fees numeric DEFAULT 0 NOT NULL,
    next_child integer DEFAULT 1 NOT NULL,
    pause_requested boolean DEFAULT false NOT NULL,
    cancel_reason text,
    crossing_quote_at timestamp with time zone,
    crossing_filled_at timestamp with time zone,
    rejections integer DEFAULT 0 NOT NULL,
    rejected_at timestamp with time zone,
    arrival_bid numeric,
    arrival_ask numeric,
    daily_volume numeric,
    market_volume numeric,
    market_notional numeric,
    measured_to timestamp with time zone,
    accepted_at timestamp with time zone NOT NULL,
    created_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    finished_at timestamp with time zone,
    version bigint DEFAULT 1 NOT NULL,
    seq bigint DEFAULT 1 NOT NULL,
    attention boolean DEFAULT true NOT NULL,
    CONSTRAINT ck_orders_evidence CHECK (((status <> ALL (ARRAY['filled'::text, 'canceled'::text, 'expired'::text, 'rejected'::text])) OR ((working = (0)::numeric) AND (unknown = (0)::numeric)))),
    CONSTRAINT ck_orders_on_restart CHECK ((on_restart = ANY (ARRAY['resume'::text, 'pause'::text, 'cancel'::text]))),
    CONSTRAINT ck_orders_quantities CHECK (((qty > (0)::numeric) AND (qty < 'Infinity'::numeric) AND (excess < 'Infinity'::numeric) AND (filled >= (0)::numeric) AND (working >= (0)::numeric) AND (unknown >= (0)::numeric) AND (canceled >= (0)::numeric) AND (excess >= (0)::numeric) AND ((((filled + working) + unknown) + canceled) <= (qty + excess)))),
    CONSTRAINT ck_orders_reserved CHECK ((((filled + working) + unknown) <= (qty + excess))),
    CONSTRAINT ck_orders_side CHECK ((side = ANY (ARRAY['buy'::text, 'sell'::text]))),
    CONSTRAINT ck_orders_status CHECK ((status = ANY (ARRAY['accepted'::text, 'scheduled'::text, 'working'::text, 'paused'::text, 'closing'::text, 'needs_operator'::text, 'filled'::text, 'canceled'::text, 'expired'::text, 'rejected'::text]))),
    CONSTRAINT ck_orders_window CHECK ((end_at > start_at))
);
CREATE TABLE public.positions (
    account text NOT NULL,
    symbol text NOT NULL,
    qty numeric DEFAULT 0 NOT NULL,
    average_price numeric DEFAULT 0 NOT NULL,
    realised numeric DEFAULT 0 NOT NULL,
    fees numeric DEFAULT 0 NOT NULL,
    updated_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.quarantine (
    account text NOT NULL,
    broker text NOT NULL,
    execution_id text NOT NULL,
    digest text NOT NULL,
    report jsonb NOT NULL,
    reason text NOT NULL,
    seen_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL
);
CREATE TABLE public.signals (
    account text NOT NULL,
    id uuid NOT NULL,
    source text NOT NULL,
    signal_id text NOT NULL,
    body_sha256 bytea NOT NULL,
    body jsonb NOT NULL,
    decision text NOT NULL,
    reason text,
    verdicts jsonb NOT NULL,
    order_id uuid,
    at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    CONSTRAINT ck_signals_decision CHECK ((decision = ANY (ARRAY['execute'::text, 'reduce'::text, 'defer'::text, 'reject'::text])))
);
CREATE TABLE public.watches (
    symbol text NOT NULL,
    requested_at timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
    watched_at timestamp with time zone,
    error text,
    sessions jsonb,
    curve jsonb,
    daily_volume numeric,
    bid numeric,
    ask numeric,
    bid_size numeric,
    ask_size numeric,
    bid_at timestamp with time zone,
    ask_at timestamp with time zone,
    last numeric,
    last_at timestamp with time zone
);
INSERT INTO public.accounts VALUES
	('main', 'paper', 'USD', '2026-11-21 06:02:10.264607+00');
INSERT INTO public.alembic_version VALUES
	('0001');
INSERT INTO public.children VALUES
	('main', 'sl2tn7irmztfm-1', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 1, 1, 'ACME', 'buy', 300, 100.01, 'cross', 'ioc', 'canceled', '2026-01-05 14:30:00+00', '2026-01-05 14:30:00+00', 100, 'P-000001', NULL, 'ioc_rest', '{"now": "2026-01-05T14:30:00.000000Z", "last": null, "bound": null, "quote": {"ask": "100.01", "bid": "99.98", "ask_at": "2026-01-05T14:30:00.000000Z", "bid_at": "2026-01-05T14:30:00.000000Z", "ask_size": "100", "bid_size": "128"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "0", "unknown": "0", "version": 2, "working": "0", "envelope": {"may": "300", "must": "300", "next_at": null}, "market_volume": "0"}', '2026-11-21 06:02:11.188584+00', '2026-11-21 06:02:11.335856+00'),
	('main', 'sl2tn7irmztfm-2', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 2, 1, 'ACME', 'buy', 200, 100.01, 'cross', 'ioc', 'canceled', '2026-01-05 14:30:01.107516+00', '2026-01-05 14:30:01.107516+00', 167, 'P-000002', NULL, 'ioc_rest', '{"now": "2026-01-05T14:30:01.107516Z", "last": "99.98", "bound": null, "quote": {"ask": "100.01", "bid": "99.98", "ask_at": "2026-01-05T14:30:01.107516Z", "bid_at": "2026-01-05T14:30:00.914470Z", "ask_size": "200", "bid_size": "139"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "100", "unknown": "0", "version": 5, "working": "0", "envelope": {"may": "300", "must": "300", "next_at": null}, "market_volume": "292"}', '2026-11-21 06:02:11.34868+00', '2026-11-21 06:02:11.352984+00'),
	('main', 'sl2tn7irmztfm-3', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 3, 1, 'ACME', 'buy', 33, 100.01, 'cross', 'ioc', 'filled', '2026-01-05 14:30:01.148775+00', '2026-01-05 14:30:01.148775+00', 33, 'P-000003', NULL, NULL, '{"now": "2026-01-05T14:30:01.148775Z", "last": "99.98", "bound": null, "quote": {"ask": "100.01", "bid": "99.98", "ask_at": "2026-01-05T14:30:01.148775Z", "bid_at": "2026-01-05T14:30:00.914470Z", "ask_size": "700", "bid_size": "139"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "267", "unknown": "0", "version": 8, "working": "0", "envelope": {"may": "300", "must": "300", "next_at": null}, "market_volume": "292"}', '2026-11-21 06:02:11.354918+00', '2026-11-21 06:02:11.359032+00'),
	('main', 'sl8pfrll9wrqp-1', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 1, 1, 'GLOBEX', 'sell', 300, 40.01, 'rest', 'day', 'filled', '2026-01-05 14:30:16.079352+00', '2026-01-05 14:30:15.57469+00', 300, 'P-000004', NULL, NULL, '{"now": "2026-01-05T14:30:16.079352Z", "last": "39.99", "bound": null, "quote": {"ask": "40.01", "bid": "39.99", "ask_at": "2026-01-05T14:30:16.013267Z", "bid_at": "2026-01-05T14:30:15.574690Z", "ask_size": "4106", "bid_size": "700"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "0", "unknown": "0", "version": 2, "working": "0", "envelope": {"may": "300", "must": "0", "next_at": "2026-01-05T14:31:16.079352Z"}, "market_volume": "36769"}', '2026-11-21 06:02:11.59761+00', '2026-11-21 06:02:11.721673+00'),
	('main', 'slaktxyca0a09-1', '01a1fcb2-af57-727a-9689-68c286138ca9', 1, 1, 'ACME', 'buy', 400, 99.99, 'rest', 'day', 'filled', '2026-01-05 14:30:24.765131+00', '2026-01-05 14:30:24.529939+00', 400, 'P-000005', NULL, NULL, '{"now": "2026-01-05T14:30:24.765131Z", "last": "100.02", "bound": null, "quote": {"ask": "100.02", "bid": "99.99", "ask_at": "2026-01-05T14:30:24.529939Z", "bid_at": "2026-01-05T14:30:24.726910Z", "ask_size": "200", "bid_size": "53"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "0", "unknown": "0", "version": 2, "working": "0", "envelope": {"may": "400", "must": "0", "next_at": "2026-01-05T14:31:24.765131Z"}, "market_volume": "6269"}', '2026-11-21 06:02:11.741962+00', '2026-11-21 06:02:11.787333+00'),
	('main', 'sl8pfrll9wrqp-4', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 4, 1, 'GLOBEX', 'sell', 300, 40.04, 'rest', 'day', 'filled', '2026-01-05 14:39:30.38824+00', '2026-01-05 14:39:30.201125+00', 300, 'P-000017', NULL, NULL, '{"now": "2026-01-05T14:39:30.388240Z", "last": "40.04", "bound": null, "quote": {"ask": "40.04", "bid": "40.01", "ask_at": "2026-01-05T14:39:29.198590Z", "bid_at": "2026-01-05T14:39:30.201125Z", "ask_size": "2621", "bid_size": "2300"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "900", "unknown": "0", "version": 14, "working": "0", "envelope": {"may": "1200", "must": "900", "next_at": "2026-01-05T14:40:30.388240Z"}, "market_volume": "901395"}', '2026-11-21 06:02:20.836431+00', '2026-11-21 06:02:20.863304+00'),
	('main', 'slbng428qg299-4', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 4, 1, 'ACME', 'sell', 150, 100.25, 'rest', 'day', 'filled', '2026-01-05 14:39:33.069286+00', '2026-01-05 14:39:32.352822+00', 150, 'P-000019', NULL, NULL, '{"now": "2026-01-05T14:39:33.069286Z", "last": "100.25", "bound": null, "quote": {"ask": "100.25", "bid": "100.23", "ask_at": "2026-01-05T14:39:32.996139Z", "bid_at": "2026-01-05T14:39:32.352822Z", "ask_size": "300", "bid_size": "234"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "450", "unknown": "0", "version": 16, "working": "0", "envelope": {"may": "600", "must": "450", "next_at": "2026-01-05T14:40:33.069286Z"}, "market_volume": "157116"}', '2026-11-21 06:02:20.880803+00', '2026-11-21 06:02:20.934878+00'),
	('main', 'slaktxyca0a09-4', '01a1fcb2-af57-727a-9689-68c286138ca9', 4, 1, 'ACME', 'buy', 400, 100.23, 'rest', 'day', 'partially_filled', '2026-01-05 14:39:31.48857+00', '2026-01-05 14:39:30.837846+00', 299, 'P-000018', NULL, NULL, '{"now": "2026-01-05T14:39:31.488570Z", "last": "100.23", "bound": null, "quote": {"ask": "100.25", "bid": "100.23", "ask_at": "2026-01-05T14:39:30.837846Z", "bid_at": "2026-01-05T14:39:31.188257Z", "ask_size": "700", "bid_size": "251"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "1200", "unknown": "0", "version": 19, "working": "0", "envelope": {"may": "1600", "must": "1200", "next_at": "2026-01-05T14:40:31.488570Z"}, "market_volume": "156606"}', '2026-11-21 06:02:20.854722+00', '2026-11-21 06:02:20.979129+00'),
	('main', 'slbng428qg299-1', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 1, 1, 'ACME', 'sell', 150, 100.04, 'rest', 'day', 'filled', '2026-01-05 14:30:51.302422+00', '2026-01-05 14:30:50.961876+00', 150, 'P-000007', NULL, NULL, '{"now": "2026-01-05T14:30:51.302422Z", "last": "100.01", "bound": null, "quote": {"ask": "100.04", "bid": "100.01", "ask_at": "2026-01-05T14:30:50.086916Z", "bid_at": "2026-01-05T14:30:50.961876Z", "ask_size": "500", "bid_size": "200"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "0", "unknown": "0", "version": 2, "working": "0", "envelope": {"may": "150", "must": "0", "next_at": "2026-01-05T14:31:51.302422Z"}, "market_volume": "13281"}', '2026-11-21 06:02:12.185077+00', '2026-11-21 06:02:12.257511+00'),
	('main', 'slh3idp29df3h-1', '01a1fcb2-afb6-7d79-86de-15a121254ead', 1, 1, 'ACME', 'buy', 233, 99.99, 'rest', 'day', 'canceled', '2026-01-05 14:30:32.4513+00', '2026-01-05 14:30:32.04045+00', 66, 'P-000006', '2026-01-05 14:31:32.4513+00', 'requested', '{"now": "2026-01-05T14:30:32.451300Z", "last": "100", "bound": null, "quote": {"ask": "100", "bid": "99.99", "ask_at": "2026-01-05T14:30:32.040450Z", "bid_at": "2026-01-05T14:30:31.265882Z", "ask_size": "1266", "bid_size": "200"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "0", "unknown": "0", "version": 2, "working": "0", "envelope": {"may": "233", "must": "0", "next_at": "2026-01-05T14:31:32.451300Z"}, "market_volume": "9714"}', '2026-11-21 06:02:11.870435+00', '2026-11-21 06:02:12.872891+00'),
	('main', 'slh3idp29df3h-2', '01a1fcb2-afb6-7d79-86de-15a121254ead', 2, 1, 'ACME', 'buy', 167, 100.07, 'cross', 'ioc', 'filled', '2026-01-05 14:31:32.4613+00', '2026-01-05 14:31:32.323919+00', 167, 'P-000009', NULL, NULL, '{"now": "2026-01-05T14:31:32.461300Z", "last": "100.04", "bound": null, "quote": {"ask": "100.07", "bid": "100.06", "ask_at": "2026-01-05T14:31:32.323919Z", "bid_at": "2026-01-05T14:31:32.248428Z", "ask_size": "200", "bid_size": "200"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "66", "unknown": "0", "version": 8, "working": "0", "envelope": {"may": "233", "must": "233", "next_at": "2026-01-05T14:35:57.000490Z"}, "market_volume": "30826"}', '2026-11-21 06:02:12.874118+00', '2026-11-21 06:02:12.877243+00'),
	('main', 'sl8pfrll9wrqp-2', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 2, 1, 'GLOBEX', 'sell', 300, 39.99, 'rest', 'day', 'filled', '2026-01-05 14:33:03.344675+00', '2026-01-05 14:33:01.176376+00', 300, 'P-000010', NULL, NULL, '{"now": "2026-01-05T14:33:03.344675Z", "last": "39.97", "bound": null, "quote": {"ask": "39.99", "bid": "39.97", "ask_at": "2026-01-05T14:33:03.150760Z", "bid_at": "2026-01-05T14:33:01.176376Z", "ask_size": "984", "bid_size": "1400"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "300", "unknown": "0", "version": 6, "working": "0", "envelope": {"may": "600", "must": "300", "next_at": "2026-01-05T14:34:03.344675Z"}, "market_volume": "244713"}', '2026-11-21 06:02:14.385447+00', '2026-11-21 06:02:14.446992+00'),
	('main', 'slbng428qg299-2', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 2, 1, 'ACME', 'sell', 150, 100.12, 'rest', 'day', 'filled', '2026-01-05 14:33:55.605973+00', '2026-01-05 14:33:55.303067+00', 150, 'P-000012', NULL, NULL, '{"now": "2026-01-05T14:33:55.605973Z", "last": "100.12", "bound": null, "quote": {"ask": "100.12", "bid": "100.11", "ask_at": "2026-01-05T14:33:55.240002Z", "bid_at": "2026-01-05T14:33:55.303067Z", "ask_size": "500", "bid_size": "341"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "150", "unknown": "0", "version": 6, "working": "0", "envelope": {"may": "300", "must": "150", "next_at": "2026-01-05T14:34:55.605973Z"}, "market_volume": "76610"}', '2026-11-21 06:02:15.256491+00', '2026-11-21 06:02:15.301579+00'),
	('main', 'slh3idp29df3h-3', '01a1fcb2-afb6-7d79-86de-15a121254ead', 3, 1, 'ACME', 'buy', 232, 100.3, 'rest', 'day', 'filled', '2026-01-05 14:35:57.00049+00', '2026-01-05 14:35:56.26241+00', 232, 'P-000013', NULL, NULL, '{"now": "2026-01-05T14:35:57.000490Z", "last": "100.31", "bound": null, "quote": {"ask": "100.32", "bid": "100.3", "ask_at": "2026-01-05T14:35:56.262410Z", "bid_at": "2026-01-05T14:35:56.953535Z", "ask_size": "600", "bid_size": "25"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "233", "unknown": "0", "version": 11, "working": "0", "envelope": {"may": "465", "must": "233", "next_at": "2026-01-05T14:36:57.000490Z"}, "market_volume": "104849"}', '2026-11-21 06:02:17.279874+00', '2026-11-21 06:02:17.305711+00'),
	('main', 'slaktxyca0a09-2', '01a1fcb2-af57-727a-9689-68c286138ca9', 2, 1, 'ACME', 'buy', 400, 100.08, 'rest', 'day', 'filled', '2026-01-05 14:33:40.18138+00', '2026-01-05 14:33:40.016505+00', 400, 'P-000011', NULL, NULL, '{"now": "2026-01-05T14:33:40.181380Z", "last": "100.12", "bound": null, "quote": {"ask": "100.11", "bid": "100.08", "ask_at": "2026-01-05T14:33:40.016505Z", "bid_at": "2026-01-05T14:33:40.164059Z", "ask_size": "200", "bid_size": "195"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "400", "unknown": "0", "version": 8, "working": "0", "envelope": {"may": "800", "must": "400", "next_at": "2026-01-05T14:34:40.181380Z"}, "market_volume": "73065"}', '2026-11-21 06:02:14.999651+00', '2026-11-21 06:02:15.810136+00'),
	('main', 'slbng428qg299-3', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 3, 1, 'ACME', 'sell', 150, 100.31, 'rest', 'day', 'filled', '2026-01-05 14:36:02.345558+00', '2026-01-05 14:36:02.06443+00', 150, 'P-000014', NULL, NULL, '{"now": "2026-01-05T14:36:02.345558Z", "last": "100.3", "bound": null, "quote": {"ask": "100.31", "bid": "100.29", "ask_at": "2026-01-05T14:36:02.308137Z", "bid_at": "2026-01-05T14:36:02.064430Z", "ask_size": "303", "bid_size": "500"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "300", "unknown": "0", "version": 10, "working": "0", "envelope": {"may": "450", "must": "300", "next_at": "2026-01-05T14:37:02.345558Z"}, "market_volume": "108895"}', '2026-11-21 06:02:17.368712+00', '2026-11-21 06:02:17.603854+00'),
	('main', 'slaktxyca0a09-3', '01a1fcb2-af57-727a-9689-68c286138ca9', 3, 1, 'ACME', 'buy', 400, 100.31, 'rest', 'day', 'filled', '2026-01-05 14:36:17.305782+00', '2026-01-05 14:36:16.098796+00', 400, 'P-000015', NULL, NULL, '{"now": "2026-01-05T14:36:17.305782Z", "last": "100.32", "bound": null, "quote": {"ask": "100.32", "bid": "100.31", "ask_at": "2026-01-05T14:36:16.098796Z", "bid_at": "2026-01-05T14:36:16.617783Z", "ask_size": "120", "bid_size": "100"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "800", "unknown": "0", "version": 14, "working": "0", "envelope": {"may": "1200", "must": "800", "next_at": "2026-01-05T14:37:17.305782Z"}, "market_volume": "110486"}', '2026-11-21 06:02:17.618229+00', '2026-11-21 06:02:17.649331+00'),
	('main', 'sl8pfrll9wrqp-3', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 3, 1, 'GLOBEX', 'sell', 300, 40.02, 'rest', 'day', 'filled', '2026-01-05 14:36:26.733071+00', '2026-01-05 14:36:24.926078+00', 300, 'P-000016', NULL, NULL, '{"now": "2026-01-05T14:36:26.733071Z", "last": "40.01", "bound": null, "quote": {"ask": "40.02", "bid": "40.01", "ask_at": "2026-01-05T14:36:25.786064Z", "bid_at": "2026-01-05T14:36:24.926078Z", "ask_size": "1297", "bid_size": "700"}, "anchor": {"at": "2026-01-05T14:30:00.000000Z", "done": "0"}, "filled": "600", "unknown": "0", "version": 10, "working": "0", "envelope": {"may": "900", "must": "600", "next_at": "2026-01-05T14:37:26.733071Z"}, "market_volume": "567687"}', '2026-11-21 06:02:17.775742+00', '2026-11-21 06:02:17.797845+00');
INSERT INTO public.controls VALUES
	('all', '*', false, NULL, 0, '2026-11-21 06:02:09.599372+00');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES
	(1, '833', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 1, 'order.accepted', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.155951+00', '{"algo": "market", "side": "buy", "order": {"qty": "300", "excess": "0", "filled": "0", "status": "accepted", "symbol": "ACME", "unsent": "300", "unknown": "0", "working": "0", "canceled": "0"}, "route_reason": "asked for", "client_order_id": "done"}'),
	(2, '837', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 1, 'order.accepted', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.165289+00', '{"algo": "twap", "side": "buy", "order": {"qty": "4000", "excess": "0", "filled": "0", "status": "accepted", "symbol": "ACME", "unsent": "4000", "unknown": "0", "working": "0", "canceled": "0"}, "route_reason": "asked for", "client_order_id": "twap-0"}'),
	(3, '842', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 2, 'order.working', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.180774+00', '{"order": {"qty": "300", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "300", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(4, '844', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 3, 'child.intended', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.189069+00', '{"qty": "300", "side": "buy", "order": {"qty": "300", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "300", "canceled": "0"}, "price": "100.01", "number": 1, "purpose": "cross", "child_id": "sl2tn7irmztfm-1", "quote_at": "2026-01-05T14:30:00.000000Z", "time_in_force": "ioc"}'),
	(5, '846', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 4, 'child.sent', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.191186+00', '{"order": {"qty": "300", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl2tn7irmztfm-1", "broker_order_id": "P-000001"}'),
	(6, '851', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 2, 'order.working', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.19774+00', '{"order": {"qty": "4000", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "4000", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(7, '857', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 1, 'order.accepted', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.234497+00', '{"algo": "twap", "side": "sell", "order": {"qty": "3000", "excess": "0", "filled": "0", "status": "accepted", "symbol": "GLOBEX", "unsent": "3000", "unknown": "0", "working": "0", "canceled": "0"}, "route_reason": "asked for", "client_order_id": "twap-1"}'),
	(8, '861', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 1, 'order.accepted', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.247965+00', '{"algo": "twap", "side": "sell", "order": {"qty": "1500", "excess": "0", "filled": "0", "status": "accepted", "symbol": "ACME", "unsent": "1500", "unknown": "0", "working": "0", "canceled": "0"}, "route_reason": "asked for", "client_order_id": "twap-2"}'),
	(9, '864', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 2, 'order.working', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.257141+00', '{"order": {"qty": "3000", "excess": "0", "filled": "0", "status": "working", "symbol": "GLOBEX", "unsent": "3000", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(10, '869', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 2, 'order.working', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.260962+00', '{"order": {"qty": "1500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "1500", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(11, '868', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 1, 'order.accepted', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.261738+00', '{"algo": "vwap", "side": "buy", "order": {"qty": "2500", "excess": "0", "filled": "0", "status": "accepted", "symbol": "ACME", "unsent": "2500", "unknown": "0", "working": "0", "canceled": "0"}, "route_reason": "asked for", "client_order_id": "vwap"}'),
	(12, '875', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 2, 'order.working', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.274096+00', '{"order": {"qty": "2500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "2500", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(13, '879', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 5, 'fill.booked', '2026-01-05 14:30:00.005+00', '2026-11-21 06:02:11.336104+00', '{"fee": "0.3500", "qty": "100", "order": {"qty": "300", "excess": "0", "filled": "100", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "200", "canceled": "0"}, "price": "100.01", "child_id": "sl2tn7irmztfm-1", "liquidity": "taker", "execution_id": "E-000001"}'),
	(14, '879', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 6, 'child.canceled', '2026-01-05 14:30:00.005+00', '2026-11-21 06:02:11.336127+00', '{"order": {"qty": "300", "excess": "0", "filled": "100", "status": "working", "symbol": "ACME", "unsent": "200", "unknown": "0", "working": "0", "canceled": "0"}, "reason": "ioc_rest", "child_id": "sl2tn7irmztfm-1"}'),
	(15, '881', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 7, 'child.intended', '2026-01-05 14:30:01.107516+00', '2026-11-21 06:02:11.348937+00', '{"qty": "200", "side": "buy", "order": {"qty": "300", "excess": "0", "filled": "100", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "200", "canceled": "0"}, "price": "100.01", "number": 2, "purpose": "cross", "child_id": "sl2tn7irmztfm-2", "quote_at": "2026-01-05T14:30:01.107516Z", "time_in_force": "ioc"}'),
	(16, '883', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 8, 'child.sent', '2026-01-05 14:30:01.107516+00', '2026-11-21 06:02:11.350996+00', '{"order": {"qty": "300", "excess": "0", "filled": "100", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "200", "canceled": "0"}, "child_id": "sl2tn7irmztfm-2", "broker_order_id": "P-000002"}'),
	(17, '884', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 9, 'fill.booked', '2026-01-05 14:30:01.112516+00', '2026-11-21 06:02:11.353085+00', '{"fee": "0.5845", "qty": "167", "order": {"qty": "300", "excess": "0", "filled": "267", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "33", "canceled": "0"}, "price": "100.01", "child_id": "sl2tn7irmztfm-2", "liquidity": "taker", "execution_id": "E-000003"}'),
	(18, '884', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 10, 'child.canceled', '2026-01-05 14:30:01.112516+00', '2026-11-21 06:02:11.353102+00', '{"order": {"qty": "300", "excess": "0", "filled": "267", "status": "working", "symbol": "ACME", "unsent": "33", "unknown": "0", "working": "0", "canceled": "0"}, "reason": "ioc_rest", "child_id": "sl2tn7irmztfm-2"}'),
	(19, '885', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 11, 'child.intended', '2026-01-05 14:30:01.148775+00', '2026-11-21 06:02:11.355139+00', '{"qty": "33", "side": "buy", "order": {"qty": "300", "excess": "0", "filled": "267", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "33", "canceled": "0"}, "price": "100.01", "number": 3, "purpose": "cross", "child_id": "sl2tn7irmztfm-3", "quote_at": "2026-01-05T14:30:01.148775Z", "time_in_force": "ioc"}'),
	(20, '887', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 12, 'child.sent', '2026-01-05 14:30:01.148775+00', '2026-11-21 06:02:11.356995+00', '{"order": {"qty": "300", "excess": "0", "filled": "267", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "33", "canceled": "0"}, "child_id": "sl2tn7irmztfm-3", "broker_order_id": "P-000003"}'),
	(21, '888', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 13, 'fill.booked', '2026-01-05 14:30:01.153775+00', '2026-11-21 06:02:11.359149+00', '{"fee": "0.1155", "qty": "33", "order": {"qty": "300", "excess": "0", "filled": "300", "status": "working", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.01", "child_id": "sl2tn7irmztfm-3", "liquidity": "taker", "execution_id": "E-000005"}'),
	(22, '890', 'main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 14, 'order.filled', '2026-01-05 14:30:01.158775+00', '2026-11-21 06:02:11.361167+00', '{"order": {"qty": "300", "excess": "0", "filled": "300", "status": "filled", "symbol": "ACME", "unsent": "0", "unknown": "0", "working": "0", "canceled": "0"}, "reason": null}'),
	(23, '902', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 3, 'child.intended', '2026-01-05 14:30:16.079352+00', '2026-11-21 06:02:11.597821+00', '{"qty": "300", "side": "sell", "order": {"qty": "3000", "excess": "0", "filled": "0", "status": "working", "symbol": "GLOBEX", "unsent": "2700", "unknown": "0", "working": "300", "canceled": "0"}, "price": "40.01", "number": 1, "purpose": "rest", "child_id": "sl8pfrll9wrqp-1", "quote_at": "2026-01-05T14:30:15.574690Z", "time_in_force": "day"}'),
	(24, '904', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 4, 'child.sent', '2026-01-05 14:30:16.079352+00', '2026-11-21 06:02:11.599788+00', '{"order": {"qty": "3000", "excess": "0", "filled": "0", "status": "working", "symbol": "GLOBEX", "unsent": "2700", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-1", "broker_order_id": "P-000004"}'),
	(25, '905', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 5, 'child.working', '2026-01-05 14:30:16.084352+00', '2026-11-21 06:02:11.601612+00', '{"order": {"qty": "3000", "excess": "0", "filled": "0", "status": "working", "symbol": "GLOBEX", "unsent": "2700", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-1"}'),
	(26, '911', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 6, 'fill.booked', '2026-01-05 14:30:23.474745+00', '2026-11-21 06:02:11.721756+00', '{"fee": "1.0500", "qty": "300", "order": {"qty": "3000", "excess": "0", "filled": "300", "status": "working", "symbol": "GLOBEX", "unsent": "2700", "unknown": "0", "working": "0", "canceled": "0"}, "price": "40.01", "child_id": "sl8pfrll9wrqp-1", "liquidity": "maker", "execution_id": "E-000008"}'),
	(27, '913', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 3, 'child.intended', '2026-01-05 14:30:24.765131+00', '2026-11-21 06:02:11.742159+00', '{"qty": "400", "side": "buy", "order": {"qty": "4000", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "400", "canceled": "0"}, "price": "99.99", "number": 1, "purpose": "rest", "child_id": "slaktxyca0a09-1", "quote_at": "2026-01-05T14:30:24.529939Z", "time_in_force": "day"}'),
	(28, '915', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 4, 'child.sent', '2026-01-05 14:30:24.765131+00', '2026-11-21 06:02:11.743611+00', '{"order": {"qty": "4000", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-1", "broker_order_id": "P-000005"}'),
	(29, '916', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 5, 'child.working', '2026-01-05 14:30:24.770131+00', '2026-11-21 06:02:11.745274+00', '{"order": {"qty": "4000", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-1"}'),
	(30, '920', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 6, 'fill.booked', '2026-01-05 14:30:25.670974+00', '2026-11-21 06:02:11.758665+00', '{"fee": "0.1645", "qty": "47", "order": {"qty": "4000", "excess": "0", "filled": "47", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "353", "canceled": "0"}, "price": "99.99", "child_id": "slaktxyca0a09-1", "liquidity": "maker", "execution_id": "E-000011"}'),
	(31, '922', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 7, 'fill.booked', '2026-01-05 14:30:27.282989+00', '2026-11-21 06:02:11.785292+00', '{"fee": "0.7000", "qty": "200", "order": {"qty": "4000", "excess": "0", "filled": "247", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "153", "canceled": "0"}, "price": "99.99", "child_id": "slaktxyca0a09-1", "liquidity": "maker", "execution_id": "E-000012"}'),
	(32, '924', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 8, 'fill.booked', '2026-01-05 14:30:27.455867+00', '2026-11-21 06:02:11.787414+00', '{"fee": "0.5355", "qty": "153", "order": {"qty": "4000", "excess": "0", "filled": "400", "status": "working", "symbol": "ACME", "unsent": "3600", "unknown": "0", "working": "0", "canceled": "0"}, "price": "99.99", "child_id": "slaktxyca0a09-1", "liquidity": "maker", "execution_id": "E-000013"}'),
	(33, '928', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 3, 'child.intended', '2026-01-05 14:30:32.4513+00', '2026-11-21 06:02:11.871011+00', '{"qty": "233", "side": "buy", "order": {"qty": "2500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "233", "canceled": "0"}, "price": "99.99", "number": 1, "purpose": "rest", "child_id": "slh3idp29df3h-1", "quote_at": "2026-01-05T14:30:32.040450Z", "time_in_force": "day"}'),
	(34, '930', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 4, 'child.sent', '2026-01-05 14:30:32.4513+00', '2026-11-21 06:02:11.872514+00', '{"order": {"qty": "2500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "233", "canceled": "0"}, "child_id": "slh3idp29df3h-1", "broker_order_id": "P-000006"}'),
	(35, '931', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 5, 'child.working', '2026-01-05 14:30:32.4563+00', '2026-11-21 06:02:11.874057+00', '{"order": {"qty": "2500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "233", "canceled": "0"}, "child_id": "slh3idp29df3h-1"}'),
	(36, '935', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 6, 'fill.booked', '2026-01-05 14:30:33.90291+00', '2026-11-21 06:02:11.896074+00', '{"fee": "0.2310", "qty": "66", "order": {"qty": "2500", "excess": "0", "filled": "66", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "167", "canceled": "0"}, "price": "99.99", "child_id": "slh3idp29df3h-1", "liquidity": "maker", "execution_id": "E-000016"}'),
	(37, '947', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 3, 'child.intended', '2026-01-05 14:30:51.302422+00', '2026-11-21 06:02:12.185303+00', '{"qty": "150", "side": "sell", "order": {"qty": "1500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "1350", "unknown": "0", "working": "150", "canceled": "0"}, "price": "100.04", "number": 1, "purpose": "rest", "child_id": "slbng428qg299-1", "quote_at": "2026-01-05T14:30:50.961876Z", "time_in_force": "day"}'),
	(38, '948', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 4, 'child.sent', '2026-01-05 14:30:51.302422+00', '2026-11-21 06:02:12.187222+00', '{"order": {"qty": "1500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "1350", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-1", "broker_order_id": "P-000007"}'),
	(39, '950', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 5, 'child.working', '2026-01-05 14:30:51.307422+00', '2026-11-21 06:02:12.189605+00', '{"order": {"qty": "1500", "excess": "0", "filled": "0", "status": "working", "symbol": "ACME", "unsent": "1350", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-1"}'),
	(40, '954', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 6, 'fill.booked', '2026-01-05 14:30:55.616778+00', '2026-11-21 06:02:12.257618+00', '{"fee": "0.5250", "qty": "150", "order": {"qty": "1500", "excess": "0", "filled": "150", "status": "working", "symbol": "ACME", "unsent": "1350", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.04", "child_id": "slbng428qg299-1", "liquidity": "maker", "execution_id": "E-000018"}'),
	(41, '978', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 7, 'child.cancel_requested', '2026-01-05 14:31:32.4513+00', '2026-11-21 06:02:12.871186+00', '{"order": {"qty": "2500", "excess": "0", "filled": "66", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "167", "canceled": "0"}, "reason": "patience_ended", "child_id": "slh3idp29df3h-1"}'),
	(42, '980', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 8, 'child.canceled', '2026-01-05 14:31:32.4563+00', '2026-11-21 06:02:12.872973+00', '{"order": {"qty": "2500", "excess": "0", "filled": "66", "status": "working", "symbol": "ACME", "unsent": "2434", "unknown": "0", "working": "0", "canceled": "0"}, "reason": "requested", "child_id": "slh3idp29df3h-1"}'),
	(43, '981', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 9, 'child.intended', '2026-01-05 14:31:32.4613+00', '2026-11-21 06:02:12.874269+00', '{"qty": "167", "side": "buy", "order": {"qty": "2500", "excess": "0", "filled": "66", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "167", "canceled": "0"}, "price": "100.07", "number": 2, "purpose": "cross", "child_id": "slh3idp29df3h-2", "quote_at": "2026-01-05T14:31:32.323919Z", "time_in_force": "ioc"}'),
	(44, '982', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 10, 'child.sent', '2026-01-05 14:31:32.4613+00', '2026-11-21 06:02:12.875602+00', '{"order": {"qty": "2500", "excess": "0", "filled": "66", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "167", "canceled": "0"}, "child_id": "slh3idp29df3h-2", "broker_order_id": "P-000009"}'),
	(45, '983', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 11, 'fill.booked', '2026-01-05 14:31:32.4663+00', '2026-11-21 06:02:12.877326+00', '{"fee": "0.5845", "qty": "167", "order": {"qty": "2500", "excess": "0", "filled": "233", "status": "working", "symbol": "ACME", "unsent": "2267", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.07", "child_id": "slh3idp29df3h-2", "liquidity": "taker", "execution_id": "E-000021"}'),
	(46, '1043', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 7, 'child.intended', '2026-01-05 14:33:03.344675+00', '2026-11-21 06:02:14.385629+00', '{"qty": "300", "side": "sell", "order": {"qty": "3000", "excess": "0", "filled": "300", "status": "working", "symbol": "GLOBEX", "unsent": "2400", "unknown": "0", "working": "300", "canceled": "0"}, "price": "39.99", "number": 2, "purpose": "rest", "child_id": "sl8pfrll9wrqp-2", "quote_at": "2026-01-05T14:33:01.176376Z", "time_in_force": "day"}'),
	(47, '1045', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 8, 'child.sent', '2026-01-05 14:33:03.344675+00', '2026-11-21 06:02:14.387317+00', '{"order": {"qty": "3000", "excess": "0", "filled": "300", "status": "working", "symbol": "GLOBEX", "unsent": "2400", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-2", "broker_order_id": "P-000010"}'),
	(48, '1046', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 9, 'child.working', '2026-01-05 14:33:03.349675+00', '2026-11-21 06:02:14.389064+00', '{"order": {"qty": "3000", "excess": "0", "filled": "300", "status": "working", "symbol": "GLOBEX", "unsent": "2400", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-2"}'),
	(49, '1051', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 10, 'fill.booked', '2026-01-05 14:33:06.996388+00', '2026-11-21 06:02:14.447109+00', '{"fee": "1.0500", "qty": "300", "order": {"qty": "3000", "excess": "0", "filled": "600", "status": "working", "symbol": "GLOBEX", "unsent": "2400", "unknown": "0", "working": "0", "canceled": "0"}, "price": "39.99", "child_id": "sl8pfrll9wrqp-2", "liquidity": "maker", "execution_id": "E-000024"}'),
	(50, '1074', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 9, 'child.intended', '2026-01-05 14:33:40.18138+00', '2026-11-21 06:02:14.999898+00', '{"qty": "400", "side": "buy", "order": {"qty": "4000", "excess": "0", "filled": "400", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "400", "canceled": "0"}, "price": "100.08", "number": 2, "purpose": "rest", "child_id": "slaktxyca0a09-2", "quote_at": "2026-01-05T14:33:40.016505Z", "time_in_force": "day"}');
INSERT INTO public.events OVERRIDING SYSTEM VALUE VALUES
	(51, '1076', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 10, 'child.sent', '2026-01-05 14:33:40.18138+00', '2026-11-21 06:02:15.00189+00', '{"order": {"qty": "4000", "excess": "0", "filled": "400", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-2", "broker_order_id": "P-000011"}'),
	(52, '1077', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 11, 'child.working', '2026-01-05 14:33:40.18638+00', '2026-11-21 06:02:15.003618+00', '{"order": {"qty": "4000", "excess": "0", "filled": "400", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-2"}'),
	(53, '1083', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 12, 'fill.booked', '2026-01-05 14:33:49.11441+00', '2026-11-21 06:02:15.150026+00', '{"fee": "1.0500", "qty": "300", "order": {"qty": "4000", "excess": "0", "filled": "700", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "100", "canceled": "0"}, "price": "100.08", "child_id": "slaktxyca0a09-2", "liquidity": "maker", "execution_id": "E-000027"}'),
	(54, '1089', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 7, 'child.intended', '2026-01-05 14:33:55.605973+00', '2026-11-21 06:02:15.256699+00', '{"qty": "150", "side": "sell", "order": {"qty": "1500", "excess": "0", "filled": "150", "status": "working", "symbol": "ACME", "unsent": "1200", "unknown": "0", "working": "150", "canceled": "0"}, "price": "100.12", "number": 2, "purpose": "rest", "child_id": "slbng428qg299-2", "quote_at": "2026-01-05T14:33:55.303067Z", "time_in_force": "day"}'),
	(55, '1091', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 8, 'child.sent', '2026-01-05 14:33:55.605973+00', '2026-11-21 06:02:15.258457+00', '{"order": {"qty": "1500", "excess": "0", "filled": "150", "status": "working", "symbol": "ACME", "unsent": "1200", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-2", "broker_order_id": "P-000012"}'),
	(56, '1092', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 9, 'child.working', '2026-01-05 14:33:55.610973+00', '2026-11-21 06:02:15.260243+00', '{"order": {"qty": "1500", "excess": "0", "filled": "150", "status": "working", "symbol": "ACME", "unsent": "1200", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-2"}'),
	(57, '1094', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 10, 'fill.booked', '2026-01-05 14:33:58.247264+00', '2026-11-21 06:02:15.302444+00', '{"fee": "0.5250", "qty": "150", "order": {"qty": "1500", "excess": "0", "filled": "300", "status": "working", "symbol": "ACME", "unsent": "1200", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.12", "child_id": "slbng428qg299-2", "liquidity": "maker", "execution_id": "E-000029"}'),
	(58, '1115', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 13, 'fill.booked', '2026-01-05 14:34:27.999342+00', '2026-11-21 06:02:15.798605+00', '{"fee": "0.3290", "qty": "94", "order": {"qty": "4000", "excess": "0", "filled": "794", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "6", "canceled": "0"}, "price": "100.08", "child_id": "slaktxyca0a09-2", "liquidity": "maker", "execution_id": "E-000031"}'),
	(59, '1117', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 14, 'fill.booked', '2026-01-05 14:34:28.786348+00', '2026-11-21 06:02:15.810226+00', '{"fee": "0.0210", "qty": "6", "order": {"qty": "4000", "excess": "0", "filled": "800", "status": "working", "symbol": "ACME", "unsent": "3200", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.08", "child_id": "slaktxyca0a09-2", "liquidity": "maker", "execution_id": "E-000032"}'),
	(60, '1175', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 12, 'child.intended', '2026-01-05 14:35:57.00049+00', '2026-11-21 06:02:17.280055+00', '{"qty": "232", "side": "buy", "order": {"qty": "2500", "excess": "0", "filled": "233", "status": "working", "symbol": "ACME", "unsent": "2035", "unknown": "0", "working": "232", "canceled": "0"}, "price": "100.3", "number": 3, "purpose": "rest", "child_id": "slh3idp29df3h-3", "quote_at": "2026-01-05T14:35:56.262410Z", "time_in_force": "day"}'),
	(61, '1177', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 13, 'child.sent', '2026-01-05 14:35:57.00049+00', '2026-11-21 06:02:17.281913+00', '{"order": {"qty": "2500", "excess": "0", "filled": "233", "status": "working", "symbol": "ACME", "unsent": "2035", "unknown": "0", "working": "232", "canceled": "0"}, "child_id": "slh3idp29df3h-3", "broker_order_id": "P-000013"}'),
	(62, '1178', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 14, 'child.working', '2026-01-05 14:35:57.00549+00', '2026-11-21 06:02:17.28359+00', '{"order": {"qty": "2500", "excess": "0", "filled": "233", "status": "working", "symbol": "ACME", "unsent": "2035", "unknown": "0", "working": "232", "canceled": "0"}, "child_id": "slh3idp29df3h-3"}'),
	(63, '1181', 'main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 15, 'fill.booked', '2026-01-05 14:35:58.468444+00', '2026-11-21 06:02:17.305796+00', '{"fee": "0.8120", "qty": "232", "order": {"qty": "2500", "excess": "0", "filled": "465", "status": "working", "symbol": "ACME", "unsent": "2035", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.3", "child_id": "slh3idp29df3h-3", "liquidity": "maker", "execution_id": "E-000035"}'),
	(64, '1186', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 11, 'child.intended', '2026-01-05 14:36:02.345558+00', '2026-11-21 06:02:17.368876+00', '{"qty": "150", "side": "sell", "order": {"qty": "1500", "excess": "0", "filled": "300", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "150", "canceled": "0"}, "price": "100.31", "number": 3, "purpose": "rest", "child_id": "slbng428qg299-3", "quote_at": "2026-01-05T14:36:02.064430Z", "time_in_force": "day"}'),
	(65, '1188', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 12, 'child.sent', '2026-01-05 14:36:02.345558+00', '2026-11-21 06:02:17.370623+00', '{"order": {"qty": "1500", "excess": "0", "filled": "300", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-3", "broker_order_id": "P-000014"}'),
	(66, '1189', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 13, 'child.working', '2026-01-05 14:36:02.350558+00', '2026-11-21 06:02:17.372297+00', '{"order": {"qty": "1500", "excess": "0", "filled": "300", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-3"}'),
	(67, '1198', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 14, 'fill.booked', '2026-01-05 14:36:13.976618+00', '2026-11-21 06:02:17.563372+00', '{"fee": "0.0035", "qty": "1", "order": {"qty": "1500", "excess": "0", "filled": "301", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "149", "canceled": "0"}, "price": "100.31", "child_id": "slbng428qg299-3", "liquidity": "maker", "execution_id": "E-000038"}'),
	(68, '1202', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 15, 'fill.booked', '2026-01-05 14:36:16.086331+00', '2026-11-21 06:02:17.599313+00', '{"fee": "0.3500", "qty": "100", "order": {"qty": "1500", "excess": "0", "filled": "401", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "49", "canceled": "0"}, "price": "100.31", "child_id": "slbng428qg299-3", "liquidity": "maker", "execution_id": "E-000039"}'),
	(69, '1204', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 16, 'fill.booked', '2026-01-05 14:36:16.441869+00', '2026-11-21 06:02:17.603959+00', '{"fee": "0.1715", "qty": "49", "order": {"qty": "1500", "excess": "0", "filled": "450", "status": "working", "symbol": "ACME", "unsent": "1050", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.31", "child_id": "slbng428qg299-3", "liquidity": "maker", "execution_id": "E-000040"}'),
	(70, '1206', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 15, 'child.intended', '2026-01-05 14:36:17.305782+00', '2026-11-21 06:02:17.618376+00', '{"qty": "400", "side": "buy", "order": {"qty": "4000", "excess": "0", "filled": "800", "status": "working", "symbol": "ACME", "unsent": "2800", "unknown": "0", "working": "400", "canceled": "0"}, "price": "100.31", "number": 3, "purpose": "rest", "child_id": "slaktxyca0a09-3", "quote_at": "2026-01-05T14:36:16.098796Z", "time_in_force": "day"}'),
	(71, '1208', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 16, 'child.sent', '2026-01-05 14:36:17.305782+00', '2026-11-21 06:02:17.619948+00', '{"order": {"qty": "4000", "excess": "0", "filled": "800", "status": "working", "symbol": "ACME", "unsent": "2800", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-3", "broker_order_id": "P-000015"}'),
	(72, '1209', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 17, 'child.working', '2026-01-05 14:36:17.310782+00', '2026-11-21 06:02:17.621575+00', '{"order": {"qty": "4000", "excess": "0", "filled": "800", "status": "working", "symbol": "ACME", "unsent": "2800", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-3"}'),
	(73, '1211', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 18, 'fill.booked', '2026-01-05 14:36:18.24228+00', '2026-11-21 06:02:17.633947+00', '{"fee": "1.3720", "qty": "392", "order": {"qty": "4000", "excess": "0", "filled": "1192", "status": "working", "symbol": "ACME", "unsent": "2800", "unknown": "0", "working": "8", "canceled": "0"}, "price": "100.31", "child_id": "slaktxyca0a09-3", "liquidity": "maker", "execution_id": "E-000043"}'),
	(74, '1215', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 19, 'fill.booked', '2026-01-05 14:36:19.136202+00', '2026-11-21 06:02:17.649453+00', '{"fee": "0.0280", "qty": "8", "order": {"qty": "4000", "excess": "0", "filled": "1200", "status": "working", "symbol": "ACME", "unsent": "2800", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.31", "child_id": "slaktxyca0a09-3", "liquidity": "maker", "execution_id": "E-000044"}'),
	(75, '1221', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 11, 'child.intended', '2026-01-05 14:36:26.733071+00', '2026-11-21 06:02:17.775946+00', '{"qty": "300", "side": "sell", "order": {"qty": "3000", "excess": "0", "filled": "600", "status": "working", "symbol": "GLOBEX", "unsent": "2100", "unknown": "0", "working": "300", "canceled": "0"}, "price": "40.02", "number": 3, "purpose": "rest", "child_id": "sl8pfrll9wrqp-3", "quote_at": "2026-01-05T14:36:24.926078Z", "time_in_force": "day"}'),
	(76, '1223', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 12, 'child.sent', '2026-01-05 14:36:26.733071+00', '2026-11-21 06:02:17.777882+00', '{"order": {"qty": "3000", "excess": "0", "filled": "600", "status": "working", "symbol": "GLOBEX", "unsent": "2100", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-3", "broker_order_id": "P-000016"}'),
	(77, '1224', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 13, 'child.working', '2026-01-05 14:36:26.738071+00', '2026-11-21 06:02:17.780069+00', '{"order": {"qty": "3000", "excess": "0", "filled": "600", "status": "working", "symbol": "GLOBEX", "unsent": "2100", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-3"}'),
	(78, '1226', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 14, 'fill.booked', '2026-01-05 14:36:28.049368+00', '2026-11-21 06:02:17.79794+00', '{"fee": "1.0500", "qty": "300", "order": {"qty": "3000", "excess": "0", "filled": "900", "status": "working", "symbol": "GLOBEX", "unsent": "2100", "unknown": "0", "working": "0", "canceled": "0"}, "price": "40.02", "child_id": "sl8pfrll9wrqp-3", "liquidity": "maker", "execution_id": "E-000047"}'),
	(79, '1347', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 15, 'child.intended', '2026-01-05 14:39:30.38824+00', '2026-11-21 06:02:20.83668+00', '{"qty": "300", "side": "sell", "order": {"qty": "3000", "excess": "0", "filled": "900", "status": "working", "symbol": "GLOBEX", "unsent": "1800", "unknown": "0", "working": "300", "canceled": "0"}, "price": "40.04", "number": 4, "purpose": "rest", "child_id": "sl8pfrll9wrqp-4", "quote_at": "2026-01-05T14:39:30.201125Z", "time_in_force": "day"}'),
	(80, '1349', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 16, 'child.sent', '2026-01-05 14:39:30.38824+00', '2026-11-21 06:02:20.838675+00', '{"order": {"qty": "3000", "excess": "0", "filled": "900", "status": "working", "symbol": "GLOBEX", "unsent": "1800", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-4", "broker_order_id": "P-000017"}'),
	(81, '1350', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 17, 'child.working', '2026-01-05 14:39:30.39324+00', '2026-11-21 06:02:20.840573+00', '{"order": {"qty": "3000", "excess": "0", "filled": "900", "status": "working", "symbol": "GLOBEX", "unsent": "1800", "unknown": "0", "working": "300", "canceled": "0"}, "child_id": "sl8pfrll9wrqp-4"}'),
	(82, '1353', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 20, 'child.intended', '2026-01-05 14:39:31.48857+00', '2026-11-21 06:02:20.854939+00', '{"qty": "400", "side": "buy", "order": {"qty": "4000", "excess": "0", "filled": "1200", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "400", "canceled": "0"}, "price": "100.23", "number": 4, "purpose": "rest", "child_id": "slaktxyca0a09-4", "quote_at": "2026-01-05T14:39:30.837846Z", "time_in_force": "day"}'),
	(83, '1355', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 21, 'child.sent', '2026-01-05 14:39:31.48857+00', '2026-11-21 06:02:20.856281+00', '{"order": {"qty": "4000", "excess": "0", "filled": "1200", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-4", "broker_order_id": "P-000018"}'),
	(84, '1356', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 22, 'child.working', '2026-01-05 14:39:31.49357+00', '2026-11-21 06:02:20.857901+00', '{"order": {"qty": "4000", "excess": "0", "filled": "1200", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "400", "canceled": "0"}, "child_id": "slaktxyca0a09-4"}'),
	(85, '1357', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 18, 'fill.booked', '2026-01-05 14:39:31.511028+00', '2026-11-21 06:02:20.863431+00', '{"fee": "1.0500", "qty": "300", "order": {"qty": "3000", "excess": "0", "filled": "1200", "status": "working", "symbol": "GLOBEX", "unsent": "1800", "unknown": "0", "working": "0", "canceled": "0"}, "price": "40.04", "child_id": "sl8pfrll9wrqp-4", "liquidity": "maker", "execution_id": "E-000051"}'),
	(86, '1360', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 17, 'child.intended', '2026-01-05 14:39:33.069286+00', '2026-11-21 06:02:20.881024+00', '{"qty": "150", "side": "sell", "order": {"qty": "1500", "excess": "0", "filled": "450", "status": "working", "symbol": "ACME", "unsent": "900", "unknown": "0", "working": "150", "canceled": "0"}, "price": "100.25", "number": 4, "purpose": "rest", "child_id": "slbng428qg299-4", "quote_at": "2026-01-05T14:39:32.352822Z", "time_in_force": "day"}'),
	(87, '1362', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 18, 'child.sent', '2026-01-05 14:39:33.069286+00', '2026-11-21 06:02:20.882761+00', '{"order": {"qty": "1500", "excess": "0", "filled": "450", "status": "working", "symbol": "ACME", "unsent": "900", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-4", "broker_order_id": "P-000019"}'),
	(88, '1363', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 19, 'child.working', '2026-01-05 14:39:33.074286+00', '2026-11-21 06:02:20.884642+00', '{"order": {"qty": "1500", "excess": "0", "filled": "450", "status": "working", "symbol": "ACME", "unsent": "900", "unknown": "0", "working": "150", "canceled": "0"}, "child_id": "slbng428qg299-4"}'),
	(89, '1367', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 23, 'fill.booked', '2026-01-05 14:39:35.179694+00', '2026-11-21 06:02:20.916729+00', '{"fee": "0.3185", "qty": "91", "order": {"qty": "4000", "excess": "0", "filled": "1291", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "309", "canceled": "0"}, "price": "100.23", "child_id": "slaktxyca0a09-4", "liquidity": "maker", "execution_id": "E-000054"}'),
	(90, '1369', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 24, 'fill.booked', '2026-01-05 14:39:36.132169+00', '2026-11-21 06:02:20.932596+00', '{"fee": "0.3780", "qty": "108", "order": {"qty": "4000", "excess": "0", "filled": "1399", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "201", "canceled": "0"}, "price": "100.23", "child_id": "slaktxyca0a09-4", "liquidity": "maker", "execution_id": "E-000055"}'),
	(91, '1371', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 20, 'fill.booked', '2026-01-05 14:39:36.153175+00', '2026-11-21 06:02:20.934962+00', '{"fee": "0.5250", "qty": "150", "order": {"qty": "1500", "excess": "0", "filled": "600", "status": "working", "symbol": "ACME", "unsent": "900", "unknown": "0", "working": "0", "canceled": "0"}, "price": "100.25", "child_id": "slbng428qg299-4", "liquidity": "maker", "execution_id": "E-000056"}'),
	(92, '1375', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', 25, 'fill.booked', '2026-01-05 14:39:38.822722+00', '2026-11-21 06:02:20.979208+00', '{"fee": "0.3500", "qty": "100", "order": {"qty": "4000", "excess": "0", "filled": "1499", "status": "working", "symbol": "ACME", "unsent": "2400", "unknown": "0", "working": "101", "canceled": "0"}, "price": "100.23", "child_id": "slaktxyca0a09-4", "liquidity": "maker", "execution_id": "E-000058"}');
INSERT INTO public.fills VALUES
	('main', 'paper', 'E-000001', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 'sl2tn7irmztfm-1', 'ACME', 'buy', 100, 100.01, 0.3500, 'taker', '2026-01-05 14:30:00.005+00', '2026-11-21 06:02:11.334665+00'),
	('main', 'paper', 'E-000003', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 'sl2tn7irmztfm-2', 'ACME', 'buy', 167, 100.01, 0.5845, 'taker', '2026-01-05 14:30:01.112516+00', '2026-11-21 06:02:11.352529+00'),
	('main', 'paper', 'E-000005', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', 'sl2tn7irmztfm-3', 'ACME', 'buy', 33, 100.01, 0.1155, 'taker', '2026-01-05 14:30:01.153775+00', '2026-11-21 06:02:11.358614+00'),
	('main', 'paper', 'E-000008', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 'sl8pfrll9wrqp-1', 'GLOBEX', 'sell', 300, 40.01, 1.0500, 'maker', '2026-01-05 14:30:23.474745+00', '2026-11-21 06:02:11.721281+00'),
	('main', 'paper', 'E-000011', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-1', 'ACME', 'buy', 47, 99.99, 0.1645, 'maker', '2026-01-05 14:30:25.670974+00', '2026-11-21 06:02:11.758187+00'),
	('main', 'paper', 'E-000012', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-1', 'ACME', 'buy', 200, 99.99, 0.7000, 'maker', '2026-01-05 14:30:27.282989+00', '2026-11-21 06:02:11.784819+00'),
	('main', 'paper', 'E-000013', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-1', 'ACME', 'buy', 153, 99.99, 0.5355, 'maker', '2026-01-05 14:30:27.455867+00', '2026-11-21 06:02:11.787005+00'),
	('main', 'paper', 'E-000016', '01a1fcb2-afb6-7d79-86de-15a121254ead', 'slh3idp29df3h-1', 'ACME', 'buy', 66, 99.99, 0.2310, 'maker', '2026-01-05 14:30:33.90291+00', '2026-11-21 06:02:11.895581+00'),
	('main', 'paper', 'E-000018', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-1', 'ACME', 'sell', 150, 100.04, 0.5250, 'maker', '2026-01-05 14:30:55.616778+00', '2026-11-21 06:02:12.257046+00'),
	('main', 'paper', 'E-000021', '01a1fcb2-afb6-7d79-86de-15a121254ead', 'slh3idp29df3h-2', 'ACME', 'buy', 167, 100.07, 0.5845, 'taker', '2026-01-05 14:31:32.4663+00', '2026-11-21 06:02:12.876812+00'),
	('main', 'paper', 'E-000024', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 'sl8pfrll9wrqp-2', 'GLOBEX', 'sell', 300, 39.99, 1.0500, 'maker', '2026-01-05 14:33:06.996388+00', '2026-11-21 06:02:14.446544+00'),
	('main', 'paper', 'E-000027', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-2', 'ACME', 'buy', 300, 100.08, 1.0500, 'maker', '2026-01-05 14:33:49.11441+00', '2026-11-21 06:02:15.149443+00'),
	('main', 'paper', 'E-000029', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-2', 'ACME', 'sell', 150, 100.12, 0.5250, 'maker', '2026-01-05 14:33:58.247264+00', '2026-11-21 06:02:15.301207+00'),
	('main', 'paper', 'E-000031', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-2', 'ACME', 'buy', 94, 100.08, 0.3290, 'maker', '2026-01-05 14:34:27.999342+00', '2026-11-21 06:02:15.798063+00'),
	('main', 'paper', 'E-000032', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-2', 'ACME', 'buy', 6, 100.08, 0.0210, 'maker', '2026-01-05 14:34:28.786348+00', '2026-11-21 06:02:15.809771+00'),
	('main', 'paper', 'E-000035', '01a1fcb2-afb6-7d79-86de-15a121254ead', 'slh3idp29df3h-3', 'ACME', 'buy', 232, 100.3, 0.8120, 'maker', '2026-01-05 14:35:58.468444+00', '2026-11-21 06:02:17.305342+00'),
	('main', 'paper', 'E-000038', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-3', 'ACME', 'sell', 1, 100.31, 0.0035, 'maker', '2026-01-05 14:36:13.976618+00', '2026-11-21 06:02:17.562823+00'),
	('main', 'paper', 'E-000039', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-3', 'ACME', 'sell', 100, 100.31, 0.3500, 'maker', '2026-01-05 14:36:16.086331+00', '2026-11-21 06:02:17.598813+00'),
	('main', 'paper', 'E-000040', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-3', 'ACME', 'sell', 49, 100.31, 0.1715, 'maker', '2026-01-05 14:36:16.441869+00', '2026-11-21 06:02:17.603438+00'),
	('main', 'paper', 'E-000043', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-3', 'ACME', 'buy', 392, 100.31, 1.3720, 'maker', '2026-01-05 14:36:18.24228+00', '2026-11-21 06:02:17.633522+00'),
	('main', 'paper', 'E-000044', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-3', 'ACME', 'buy', 8, 100.31, 0.0280, 'maker', '2026-01-05 14:36:19.136202+00', '2026-11-21 06:02:17.648988+00'),
	('main', 'paper', 'E-000047', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 'sl8pfrll9wrqp-3', 'GLOBEX', 'sell', 300, 40.02, 1.0500, 'maker', '2026-01-05 14:36:28.049368+00', '2026-11-21 06:02:17.797464+00'),
	('main', 'paper', 'E-000051', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', 'sl8pfrll9wrqp-4', 'GLOBEX', 'sell', 300, 40.04, 1.0500, 'maker', '2026-01-05 14:39:31.511028+00', '2026-11-21 06:02:20.862713+00'),
	('main', 'paper', 'E-000054', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-4', 'ACME', 'buy', 91, 100.23, 0.3185, 'maker', '2026-01-05 14:39:35.179694+00', '2026-11-21 06:02:20.916223+00'),
	('main', 'paper', 'E-000055', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-4', 'ACME', 'buy', 108, 100.23, 0.3780, 'maker', '2026-01-05 14:39:36.132169+00', '2026-11-21 06:02:20.932081+00'),
	('main', 'paper', 'E-000056', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'slbng428qg299-4', 'ACME', 'sell', 150, 100.25, 0.5250, 'maker', '2026-01-05 14:39:36.153175+00', '2026-11-21 06:02:20.934483+00'),
	('main', 'paper', 'E-000058', '01a1fcb2-af57-727a-9689-68c286138ca9', 'slaktxyca0a09-4', 'ACME', 'buy', 100, 100.23, 0.3500, 'maker', '2026-01-05 14:39:38.822722+00', '2026-11-21 06:02:20.978711+00');
INSERT INTO public.idempotency VALUES
	('c6cfc606', 'k0', '\x2d80ee8f330ed9f7cd2e08a93e99efc0aaa592378f9326708851ec3bb0cb65d1', 'main', '01a1fcb2-af57-727a-9689-68c286138ca9', '2026-11-21 06:02:11.163758+00'),
	('c6cfc606', 'k1', '\x2352fdee342f17df8743767339704cdbb6153f07b19e8f4c1c425fc1fa552af1', 'main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', '2026-11-21 06:02:11.23372+00'),
	('c6cfc606', 'k2', '\xadcda413d0df2dc76bc22ea0a7cebc51471c4b8a268472ce49329fb442dde919', 'main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', '2026-11-21 06:02:11.240828+00');
INSERT INTO public.instruments VALUES
	('ACME', 0.01, 1, 1, 'XNYS', 'USD'),
	('GLOBEX', 0.01, 1, 1, 'XNYS', 'USD');
INSERT INTO public.leases VALUES
	('market', 'host:4641:3707c2', 1, '2026-11-21 06:02:25.423955+00', '2026-11-21 06:02:10.410905+00'),
	('desk:main', 'host:4641:3707c2', 1, '2026-11-21 06:02:25.423965+00', '2026-11-21 06:02:10.420232+00');
INSERT INTO public.market_clock VALUES
	(true, 'synthetic', '2026-01-05 14:39:36.158175+00', true, 60, false, '2026-11-21 06:02:20.935726+00');
INSERT INTO public.meta VALUES
	('era', '1795240930');
INSERT INTO public.orders VALUES
	('main', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', '2tn7irmztfm', 'done', '\x47869679f9658276873a467f2207d0f66f2d3d39909ef0b3b1cea6f121ae2cf8', 'paper', 'c6cfc606', NULL, NULL, '[]', 'ACME', '{"lot": "1", "tick": "0.01", "symbol": "ACME", "min_qty": "1", "calendar": "XNYS", "currency": "USD"}', 'buy', 300, NULL, 'market', 1, 'market', 'asked for', '{}', NULL, '2026-01-05 14:30:00+00', '2026-01-05 14:40:00+00', '2026-01-05 14:30:00+00', '2026-01-05 21:00:00+00', '{"shares": [0.07485832102762141, 0.074034016865399, 0.058479579666134575, 0.060706669893597555, 0.027160306337632965, 0.02769150569189851, 0.028984829582018434, 0.027319517388543213, 0.027321540850626824, 0.03036012050546243, 0.027379060359279006, 0.027782712409552, 0.02776741495102314, 0.026781035387601543, 0.028154835385376904, 0.028030436521045737, 0.02761195317482808, 0.028418268078678977, 0.028386517258113503, 0.02726416033360879, 0.029163109944289133, 0.028977214050917948, 0.05821001348294506, 0.062367360930681584, 0.05341960692793476, 0.05336989299518889], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', '01a1fcb2-acf6-754c-8824-acbdd92a81c2', NULL, 120000000, 0.05, 'normal', 'day', 'resume', NULL, NULL, NULL, 'single', false, 'filled', NULL, '2026-01-05 14:30:00+00', 0, 300, 0, 0, 0, 0, 30003.00, 1.0500, 4, false, NULL, '2026-01-05 14:30:01.148775+00', '2026-01-05 14:30:01.153775+00', 0, NULL, 99.98, 100.01, 5179767, 292, 29196.65, '2026-01-05 14:30:01.158775+00', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.149998+00', '2026-11-21 06:02:11.360986+00', '2026-01-05 14:30:01.158775+00', 12, 14, false),
	('main', '01a1fcb2-af57-727a-9689-68c286138ca9', 'aktxyca0a09', 'twap-0', '\x2d80ee8f330ed9f7cd2e08a93e99efc0aaa592378f9326708851ec3bb0cb65d1', 'paper', 'c6cfc606', NULL, NULL, '[]', 'ACME', '{"lot": "1", "tick": "0.01", "symbol": "ACME", "min_qty": "1", "calendar": "XNYS", "currency": "USD"}', 'buy', 4000, NULL, 'twap', 1, 'twap', 'asked for', '{"jitter": "30", "slices": 10, "placement": "rest_then_cross"}', NULL, '2026-01-05 14:30:00+00', '2026-01-05 15:00:00+00', '2026-01-05 14:30:00+00', '2026-01-05 21:00:00+00', '{"shares": [0.07485832102762141, 0.074034016865399, 0.058479579666134575, 0.060706669893597555, 0.027160306337632965, 0.02769150569189851, 0.028984829582018434, 0.027319517388543213, 0.027321540850626824, 0.03036012050546243, 0.027379060359279006, 0.027782712409552, 0.02776741495102314, 0.026781035387601543, 0.028154835385376904, 0.028030436521045737, 0.02761195317482808, 0.028418268078678977, 0.028386517258113503, 0.02726416033360879, 0.029163109944289133, 0.028977214050917948, 0.05821001348294506, 0.062367360930681584, 0.05341960692793476, 0.05336989299518889], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', '01a1fcb2-af57-727a-9689-68c286138ca9', NULL, 120000000, 0.05, 'normal', 'day', 'resume', NULL, NULL, NULL, 'single', false, 'working', NULL, '2026-01-05 14:30:00+00', 0, 1499, 101, 0, 0, 0, 150120.77, 5.2465, 5, false, NULL, NULL, NULL, 0, NULL, 99.98, 100.01, 5179767, 149348, 14959716.42, '2026-01-05 14:39:11.74271+00', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.165024+00', '2026-11-21 06:02:20.978969+00', NULL, 25, 25, false),
	('main', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', '8pfrll9wrqp', 'twap-1', '\x2352fdee342f17df8743767339704cdbb6153f07b19e8f4c1c425fc1fa552af1', 'paper', 'c6cfc606', NULL, NULL, '[]', 'GLOBEX', '{"lot": "1", "tick": "0.01", "symbol": "GLOBEX", "min_qty": "1", "calendar": "XNYS", "currency": "USD"}', 'sell', 3000, NULL, 'twap', 1, 'twap', 'asked for', '{"jitter": "30", "slices": 10, "placement": "rest_then_cross"}', NULL, '2026-01-05 14:30:00+00', '2026-01-05 15:00:00+00', '2026-01-05 14:30:00+00', '2026-01-05 21:00:00+00', '{"shares": [0.07532708936277492, 0.07146165442024559, 0.058143929201756706, 0.058678418866940925, 0.028051343942115607, 0.028227049004163705, 0.02778076757897867, 0.02981467381552333, 0.027254188027782376, 0.028704545536022114, 0.02614081985464209, 0.02863877663739508, 0.027118961719542506, 0.027511791201106316, 0.028174686632489412, 0.026508350799008516, 0.026539299279181493, 0.028295355099275887, 0.026883548303775883, 0.03023644156134772, 0.026486521963910395, 0.028654765121751344, 0.0614169998600335, 0.06138248802844737, 0.05727450392868202, 0.05529303025310623], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', '01a1fcb2-af61-7fb2-a671-17b6b89d8171', NULL, 120000000, 0.05, 'normal', 'day', 'resume', NULL, NULL, NULL, 'single', false, 'working', NULL, '2026-01-05 14:30:00+00', 0, 1200, 0, 0, 0, 0, 48018.00, 4.2000, 5, false, NULL, NULL, NULL, 0, NULL, 40, 40.01, 22532720, 871806, 34877163.34, '2026-01-05 14:39:11.74271+00', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.234072+00', '2026-11-21 06:02:20.863088+00', NULL, 18, 18, false),
	('main', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', 'bng428qg299', 'twap-2', '\xadcda413d0df2dc76bc22ea0a7cebc51471c4b8a268472ce49329fb442dde919', 'paper', 'c6cfc606', NULL, NULL, '[]', 'ACME', '{"lot": "1", "tick": "0.01", "symbol": "ACME", "min_qty": "1", "calendar": "XNYS", "currency": "USD"}', 'sell', 1500, NULL, 'twap', 1, 'twap', 'asked for', '{"jitter": "30", "slices": 10, "placement": "rest_then_cross"}', NULL, '2026-01-05 14:30:00+00', '2026-01-05 15:00:00+00', '2026-01-05 14:30:00+00', '2026-01-05 21:00:00+00', '{"shares": [0.07485832102762141, 0.074034016865399, 0.058479579666134575, 0.060706669893597555, 0.027160306337632965, 0.02769150569189851, 0.028984829582018434, 0.027319517388543213, 0.027321540850626824, 0.03036012050546243, 0.027379060359279006, 0.027782712409552, 0.02776741495102314, 0.026781035387601543, 0.028154835385376904, 0.028030436521045737, 0.02761195317482808, 0.028418268078678977, 0.028386517258113503, 0.02726416033360879, 0.029163109944289133, 0.028977214050917948, 0.05821001348294506, 0.062367360930681584, 0.05341960692793476, 0.05336989299518889], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', '01a1fcb2-afa4-743d-a197-57a2bc6e096d', NULL, 120000000, 0.05, 'normal', 'day', 'resume', NULL, NULL, NULL, 'single', false, 'working', NULL, '2026-01-05 14:30:00+00', 0, 600, 0, 0, 0, 0, 60108.00, 2.1000, 5, false, NULL, NULL, NULL, 0, NULL, 99.98, 100.01, 5179767, 149348, 14959716.42, '2026-01-05 14:39:11.74271+00', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.24407+00', '2026-11-21 06:02:20.934726+00', NULL, 20, 20, false),
	('main', '01a1fcb2-afb6-7d79-86de-15a121254ead', 'h3idp29df3h', 'vwap', '\xea133ab7a67108f5ad3694b6cbb22dbcbc683fc746962995084f24a94e3ff816', 'paper', 'c6cfc606', NULL, NULL, '[]', 'ACME', '{"lot": "1", "tick": "0.01", "symbol": "ACME", "min_qty": "1", "calendar": "XNYS", "currency": "USD"}', 'buy', 2500, NULL, 'vwap', 1, 'vwap', 'asked for', '{"jitter": "30", "placement": "rest_then_cross"}', NULL, '2026-01-05 14:30:00+00', '2026-01-05 15:30:00+00', '2026-01-05 14:30:00+00', '2026-01-05 21:00:00+00', '{"shares": [0.07485832102762141, 0.074034016865399, 0.058479579666134575, 0.060706669893597555, 0.027160306337632965, 0.02769150569189851, 0.028984829582018434, 0.027319517388543213, 0.027321540850626824, 0.03036012050546243, 0.027379060359279006, 0.027782712409552, 0.02776741495102314, 0.026781035387601543, 0.028154835385376904, 0.028030436521045737, 0.02761195317482808, 0.028418268078678977, 0.028386517258113503, 0.02726416033360879, 0.029163109944289133, 0.028977214050917948, 0.05821001348294506, 0.062367360930681584, 0.05341960692793476, 0.05336989299518889], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', '01a1fcb2-afb6-7d79-86de-15a121254ead', NULL, 120000000, 0.05, 'normal', 'day', 'resume', NULL, NULL, NULL, 'single', false, 'working', NULL, '2026-01-05 14:30:00+00', 0, 465, 0, 0, 0, 0, 46580.63, 1.6275, 4, false, NULL, '2026-01-05 14:31:32.323919+00', '2026-01-05 14:31:32.4663+00', 0, NULL, 99.98, 100.01, 5179767, 149348, 14959716.42, '2026-01-05 14:39:11.74271+00', '2026-01-05 14:30:00+00', '2026-11-21 06:02:11.259373+00', '2026-11-21 06:02:17.305555+00', NULL, 15, 15, false);
INSERT INTO public.positions VALUES
	('main', 'GLOBEX', -1200, 40.015000000000, 0.000000000000, 4.2000, '2026-11-21 06:02:20.863787+00'),
	('main', 'ACME', 1664, 100.158731636984, 67.729443943350, 10.0240, '2026-11-21 06:02:20.979293+00');
INSERT INTO public.watches VALUES
	('GLOBEX', '2026-11-21 06:02:11.169647+00', '2026-11-21 06:02:11.212508+00', NULL, '[[1767623400000000, 1767646800000000], [1767709800000000, 1767733200000000], [1767796200000000, 1767819600000000], [1767882600000000, 1767906000000000], [1767969000000000, 1767992400000000], [1768228200000000, 1768251600000000], [1768314600000000, 1768338000000000], [1768401000000000, 1768424400000000], [1768487400000000, 1768510800000000], [1768573800000000, 1768597200000000], [1768919400000000, 1768942800000000], [1769005800000000, 1769029200000000], [1769092200000000, 1769115600000000], [1769178600000000, 1769202000000000], [1769437800000000, 1769461200000000], [1769524200000000, 1769547600000000], [1769610600000000, 1769634000000000], [1769697000000000, 1769720400000000], [1769783400000000, 1769806800000000], [1770042600000000, 1770066000000000], [1770129000000000, 1770152400000000], [1770215400000000, 1770238800000000], [1770301800000000, 1770325200000000], [1770388200000000, 1770411600000000], [1770647400000000, 1770670800000000], [1770733800000000, 1770757200000000], [1770820200000000, 1770843600000000], [1770906600000000, 1770930000000000], [1770993000000000, 1771016400000000], [1771338600000000, 1771362000000000], [1771425000000000, 1771448400000000], [1771511400000000, 1771534800000000], [1771597800000000, 1771621200000000], [1771857000000000, 1771880400000000], [1771943400000000, 1771966800000000], [1772029800000000, 1772053200000000], [1772116200000000, 1772139600000000], [1772202600000000, 1772226000000000], [1772461800000000, 1772485200000000], [1772548200000000, 1772571600000000], [1772634600000000, 1772658000000000], [1772721000000000, 1772744400000000]]', '{"shares": [0.07532708936277492, 0.07146165442024559, 0.058143929201756706, 0.058678418866940925, 0.028051343942115607, 0.028227049004163705, 0.02778076757897867, 0.02981467381552333, 0.027254188027782376, 0.028704545536022114, 0.02614081985464209, 0.02863877663739508, 0.027118961719542506, 0.027511791201106316, 0.028174686632489412, 0.026508350799008516, 0.026539299279181493, 0.028295355099275887, 0.026883548303775883, 0.03023644156134772, 0.026486521963910395, 0.028654765121751344, 0.0614169998600335, 0.06138248802844737, 0.05727450392868202, 0.05529303025310623], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', 22532720, 40.01, 40.04, 800, 400, '2026-01-05 14:39:35.874228+00', '2026-01-05 14:39:35.055866+00', 40.01, '2026-01-05 14:39:35.914643+00'),
	('ACME', '2026-11-21 06:02:10.551732+00', '2026-11-21 06:02:11.136338+00', NULL, '[[1767623400000000, 1767646800000000], [1767709800000000, 1767733200000000], [1767796200000000, 1767819600000000], [1767882600000000, 1767906000000000], [1767969000000000, 1767992400000000], [1768228200000000, 1768251600000000], [1768314600000000, 1768338000000000], [1768401000000000, 1768424400000000], [1768487400000000, 1768510800000000], [1768573800000000, 1768597200000000], [1768919400000000, 1768942800000000], [1769005800000000, 1769029200000000], [1769092200000000, 1769115600000000], [1769178600000000, 1769202000000000], [1769437800000000, 1769461200000000], [1769524200000000, 1769547600000000], [1769610600000000, 1769634000000000], [1769697000000000, 1769720400000000], [1769783400000000, 1769806800000000], [1770042600000000, 1770066000000000], [1770129000000000, 1770152400000000], [1770215400000000, 1770238800000000], [1770301800000000, 1770325200000000], [1770388200000000, 1770411600000000], [1770647400000000, 1770670800000000], [1770733800000000, 1770757200000000], [1770820200000000, 1770843600000000], [1770906600000000, 1770930000000000], [1770993000000000, 1771016400000000], [1771338600000000, 1771362000000000], [1771425000000000, 1771448400000000], [1771511400000000, 1771534800000000], [1771597800000000, 1771621200000000], [1771857000000000, 1771880400000000], [1771943400000000, 1771966800000000], [1772029800000000, 1772053200000000], [1772116200000000, 1772139600000000], [1772202600000000, 1772226000000000], [1772461800000000, 1772485200000000], [1772548200000000, 1772571600000000], [1772634600000000, 1772658000000000], [1772721000000000, 1772744400000000]]', '{"shares": [0.07485832102762141, 0.074034016865399, 0.058479579666134575, 0.060706669893597555, 0.027160306337632965, 0.02769150569189851, 0.028984829582018434, 0.027319517388543213, 0.027321540850626824, 0.03036012050546243, 0.027379060359279006, 0.027782712409552, 0.02776741495102314, 0.026781035387601543, 0.028154835385376904, 0.028030436521045737, 0.02761195317482808, 0.028418268078678977, 0.028386517258113503, 0.02726416033360879, 0.029163109944289133, 0.028977214050917948, 0.05821001348294506, 0.062367360930681584, 0.05341960692793476, 0.05336989299518889], "source": "history:20d", "edges_us": [0, 900000000, 1800000000, 2700000000, 3600000000, 4500000000, 5400000000, 6300000000, 7200000000, 8100000000, 9000000000, 9900000000, 10800000000, 11700000000, 12600000000, 13500000000, 14400000000, 15300000000, 16200000000, 17100000000, 18000000000, 18900000000, 19800000000, 20700000000, 21600000000, 22500000000, 23400000000], "periodic": false}', 5179767, 100.23, 100.25, 30, 200, '2026-01-05 14:39:35.71051+00', '2026-01-05 14:39:35.94631+00', 100.25, '2026-01-05 14:39:36.153175+00');
SELECT pg_catalog.setval('public.events_id_seq', 92, true);
ALTER TABLE ONLY public.alembic_version
    ADD CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num);
ALTER TABLE ONLY public.accounts
    ADD CONSTRAINT pk_accounts PRIMARY KEY (account);
ALTER TABLE ONLY public.alerts
    ADD CONSTRAINT pk_alerts PRIMARY KEY (account, id);
ALTER TABLE ONLY public.api_keys
    ADD CONSTRAINT pk_api_keys PRIMARY KEY (id);
ALTER TABLE ONLY public.children
    ADD CONSTRAINT pk_children PRIMARY KEY (account, id);
ALTER TABLE ONLY public.controls
    ADD CONSTRAINT pk_controls PRIMARY KEY (scope, name);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT pk_events PRIMARY KEY (id);
ALTER TABLE ONLY public.fills
    ADD CONSTRAINT pk_fills PRIMARY KEY (account, broker, execution_id);
ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT pk_idempotency PRIMARY KEY (key_id, key);
ALTER TABLE ONLY public.instruments
    ADD CONSTRAINT pk_instruments PRIMARY KEY (symbol);
ALTER TABLE ONLY public.leases
    ADD CONSTRAINT pk_leases PRIMARY KEY (name);
ALTER TABLE ONLY public.market_clock
    ADD CONSTRAINT pk_market_clock PRIMARY KEY (one);
ALTER TABLE ONLY public.meta
    ADD CONSTRAINT pk_meta PRIMARY KEY (key);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT pk_orders PRIMARY KEY (account, id);
ALTER TABLE ONLY public.positions
    ADD CONSTRAINT pk_positions PRIMARY KEY (account, symbol);
ALTER TABLE ONLY public.quarantine
    ADD CONSTRAINT pk_quarantine PRIMARY KEY (account, broker, execution_id, digest);
ALTER TABLE ONLY public.signals
    ADD CONSTRAINT pk_signals PRIMARY KEY (account, id);
ALTER TABLE ONLY public.watches
    ADD CONSTRAINT pk_watches PRIMARY KEY (symbol);
ALTER TABLE ONLY public.children
    ADD CONSTRAINT uq_children_account_order_id_number UNIQUE (account, order_id, number);
ALTER TABLE ONLY public.events
    ADD CONSTRAINT uq_events_account_order_id_seq UNIQUE (account, order_id, seq);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT uq_orders_account_client_order_id UNIQUE (account, client_order_id);
ALTER TABLE ONLY public.orders
    ADD CONSTRAINT uq_orders_key UNIQUE (key);
ALTER TABLE ONLY public.signals
    ADD CONSTRAINT uq_signals_account_source_signal_id UNIQUE (account, source, signal_id);
CREATE INDEX ix_children_live ON public.children USING btree (account, order_id) WHERE (status <> ALL (ARRAY['filled'::text, 'canceled'::text, 'expired'::text, 'rejected'::text]));
CREATE INDEX ix_events_cursor ON public.events USING btree (xid, id);
CREATE INDEX ix_fills_child ON public.fills USING btree (account, child_id);
CREATE INDEX ix_fills_latest ON public.fills USING btree (account, at);
CREATE INDEX ix_fills_order ON public.fills USING btree (account, order_id);
CREATE INDEX ix_orders_attention ON public.orders USING btree (broker, account) WHERE attention;
CREATE INDEX ix_orders_id ON public.orders USING btree (id);
CREATE INDEX ix_orders_list ON public.orders USING btree (account, created_at, id);
CREATE INDEX ix_orders_open ON public.orders USING btree (broker, account) WHERE (status <> ALL (ARRAY['filled'::text, 'canceled'::text, 'expired'::text, 'rejected'::text]));
CREATE UNIQUE INDEX uq_alerts_open ON public.alerts USING btree (account, rule, subject) WHERE (acknowledged_at IS NULL);
ALTER TABLE ONLY public.children
    ADD CONSTRAINT fk_children_account FOREIGN KEY (account, order_id) REFERENCES public.orders(account, id);
ALTER TABLE ONLY public.fills
    ADD CONSTRAINT fk_fills_account FOREIGN KEY (account, child_id) REFERENCES public.children(account, id);
