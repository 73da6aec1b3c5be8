-- A change to try the whole way with: `POST /api/probe` writes it, and waits until it comes back (worker/probe).
--
-- One row, however often somebody probes. It is watched like any other table, so that what is tried is what everybody's
-- changes go through; who subscribes to every table is told of it.
CREATE TABLE IF NOT EXISTS rowcast.probes (
  id smallint PRIMARY KEY DEFAULT 1 CHECK (id = 1),
  token text NOT NULL, -- by which the prober knows its own
  at timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO rowcast.probes (token) VALUES ('none yet') ON CONFLICT DO NOTHING;

-- watch() refuses what lies in this schema, where users have nothing; this is the one exception.
INSERT INTO rowcast.watched (relation) VALUES ('rowcast.probes') ON CONFLICT DO NOTHING;
SELECT rowcast.sync('rowcast.probes');

-- Makes the change. Whether it was captured is seen here, where the outbox may be looked at: without its trigger the
-- change would be waited for in vain. `clock` is the database's clock, in the form of a change's timestamp.
-- @throws 22023 for a token of another form.
CREATE OR REPLACE FUNCTION rowcast.probe(token text, OUT xid text, OUT captured boolean, OUT clock text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF token !~ '^[0-9A-Za-z_-]{8,64}$' THEN
    RAISE 'a token of a probe is 8 to 64 letters, digits, _ and -' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  INSERT INTO rowcast.probes AS p (token) VALUES (probe.token)
  ON CONFLICT (id) DO UPDATE SET token = excluded.token, at = excluded.at;
  xid := pg_current_xact_id()::text;
  captured := EXISTS (SELECT FROM rowcast.changes c WHERE c.xid = pg_current_xact_id());
  clock := to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END
$$;

REVOKE ALL ON FUNCTION rowcast.probe(text) FROM PUBLIC;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_api') THEN
    GRANT EXECUTE ON FUNCTION rowcast.probe(text) TO rowcast_api;
  END IF;
END
$$;
