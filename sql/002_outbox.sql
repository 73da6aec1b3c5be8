-- The outbox: every committed change of every watched table, until the ChangeLog has it and retention is over.

CREATE SCHEMA IF NOT EXISTS rowcast;

-- `"$user"` comes first in the default search_path: a role that is called rowcast too (the local stack's is) would
-- create its own tables in this schema.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast') THEN
    EXECUTE format('ALTER ROLE rowcast IN DATABASE %I SET search_path = public', current_database());
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'rowcast: give the role rowcast another search_path than "$user", public';
END
$$;

-- Logged, never unlogged: an unlogged table is empty after a crash, and after each suspend on Neon.
-- Ids are taken while the writer holds its row locks, which is what puts the changes of one row in commit order.
-- That holds only while the sequence hands them out one by one: never give it a CACHE.
CREATE TABLE IF NOT EXISTS rowcast.changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  xid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  at timestamptz NOT NULL DEFAULT clock_timestamp(),
  "table" text NOT NULL,
  operation text NOT NULL,
  key jsonb,
  data jsonb,
  old jsonb
);

-- What is new since a snapshot is found by transaction, not by id.
CREATE INDEX IF NOT EXISTS changes_xid_id ON rowcast.changes (xid, id);

-- Rows come at one end and go at the other. Vacuum by count, not by a share of the table; let statistics follow soon.
-- Vacuum must not cut off the empty end of the file: for that it locks writers out.
ALTER TABLE rowcast.changes SET (
  autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 20000,
  autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 50000,
  autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 20000,
  autovacuum_vacuum_cost_delay = 0, vacuum_truncate = false,
  toast.autovacuum_vacuum_scale_factor = 0, toast.autovacuum_vacuum_threshold = 20000,
  toast.autovacuum_vacuum_cost_delay = 0, toast.vacuum_truncate = false
);

-- A name for this database's history that a dump carries along; source() adds what a dump does not.
CREATE TABLE IF NOT EXISTS rowcast.identity (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  id uuid NOT NULL DEFAULT gen_random_uuid()
);
INSERT INTO rowcast.identity DEFAULT VALUES ON CONFLICT DO NOTHING;

-- The tables that are watched: what watch() was told. The triggers are made from it, and made again when DDL has
-- changed a name, a key or the partitions. (regclass, so that a dump carries the table's name and not its oid.)
CREATE TABLE IF NOT EXISTS rowcast.watched (
  relation regclass PRIMARY KEY,
  columns text[]
);

-- The doorbell, without a payload: the outbox is the truth. One a transaction is delivered, however often it is rung.
CREATE OR REPLACE FUNCTION rowcast.ring() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  PERFORM pg_notify('rowcast_changes', '');
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
