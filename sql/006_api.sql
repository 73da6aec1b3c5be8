-- What the Worker's API needs beside the tables themselves.

-- A row exactly as the stream shows it: `SELECT rowcast.row_json(o.*) FROM orders o`. The settings are those of
-- rowcast.capture(), so that what was listed and what is streamed can be compared character by character.
CREATE OR REPLACE FUNCTION rowcast.row_json("row" anyelement) RETURNS jsonb
LANGUAGE plpgsql STABLE
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
SET lc_monetary = 'C'
AS $$
BEGIN
  RETURN to_jsonb("row");
END
$$;

-- The answers to requests that came with an Idempotency-Key, for a day (rowcast.prune clears them): a retry gets the
-- first answer, and a key that comes with another request is refused by its fingerprint.
CREATE TABLE IF NOT EXISTS rowcast.idempotency_keys (
  key text PRIMARY KEY,
  fingerprint text NOT NULL,
  response jsonb, -- the row as it was answered, and its xid; null while the first request is under way
  created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS idempotency_keys_created_at ON rowcast.idempotency_keys (created_at);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
