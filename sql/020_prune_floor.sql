-- Pruning goes on where it left off.
--
-- What has been deleted stays in table and index until vacuum may take it away, and that is not while a transaction is open that
-- began before: a dump of an hour leaves millions of dead rows at the low end of the outbox. Whoever begins there walks over all
-- of them: with 600,000 a call of prune() took 180 ms, in which the listener reads nothing, and one of outbox_size() 340 ms.

-- How far pruning has come. One row.
CREATE TABLE IF NOT EXISTS rowcast.pruned (
  singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
  -- No lower id was there when it was last looked for. One can come later, of a transaction that took it and was still open.
  below bigint NOT NULL DEFAULT 0,
  -- When it was last looked for from the beginning.
  looked_at timestamptz NOT NULL DEFAULT '-infinity'
);
INSERT INTO rowcast.pruned DEFAULT VALUES ON CONFLICT DO NOTHING;

-- From which id on to look; 0 once in ten minutes, for what came late, and when the clock was set back.
CREATE OR REPLACE FUNCTION rowcast.prune_from() RETURNS bigint
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT below FROM rowcast.pruned
    WHERE looked_at BETWEEN now() - interval '10 minutes' AND now()), 0)
$$;

-- As in 016_bundles.sql, from there on.
CREATE OR REPLACE FUNCTION rowcast.prune(
  cursor text, last_id bigint, retention interval, max_rows integer DEFAULT 5000
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  base_ pg_snapshot := (SELECT base FROM rowcast.place_of(cursor));
  from_ bigint := rowcast.prune_from();
  below_ bigint;
  pruned integer := 0;
BEGIN
  IF NOT pg_try_advisory_xact_lock(hashtextextended('rowcast.prune', 0)) THEN
    RETURN 0;
  END IF;
  DELETE FROM rowcast.idempotency_keys WHERE key IN (
    SELECT key FROM rowcast.idempotency_keys WHERE created_at < now() - interval '24 hours'
    ORDER BY created_at LIMIT max_rows);
  -- A cursor from the future is one of another history: it says nothing about these rows.
  IF pg_snapshot_xmax(base_) <= pg_snapshot_xmax(pg_current_snapshot()) THEN
    WITH seen AS MATERIALIZED (
      SELECT id, xid, at, coalesce(bundle_size, 1) AS size FROM rowcast.changes WHERE id >= from_
      ORDER BY id LIMIT max_rows + 1
    ), gone AS (
      DELETE FROM rowcast.changes WHERE id = ANY (ARRAY(
        SELECT c.id FROM (
          SELECT id, sum(size) OVER (ORDER BY id) - size AS before FROM seen
          WHERE seen.id IS DISTINCT FROM last_id AND seen.at < now() - retention AND pg_visible_in_snapshot(seen.xid, base_)
        ) c
        WHERE c.before < max_rows))
      RETURNING id
    )
    SELECT coalesce(sum(seen.size) FILTER (WHERE gone.id IS NOT NULL), 0),
      coalesce(min(seen.id) FILTER (WHERE gone.id IS NULL), max(seen.id) + 1, from_)
    INTO pruned, below_ FROM seen LEFT JOIN gone ON gone.id = seen.id;
    UPDATE rowcast.pruned SET below = below_, looked_at = CASE WHEN from_ = 0 THEN now() ELSE looked_at END
    WHERE below <> below_ OR from_ = 0;
  END IF;
  RETURN pruned;
END
$$;

-- As in 011_seeing_inside.sql, and no scan of what is dead. What came late is counted once pruning has found it.
CREATE OR REPLACE FUNCTION rowcast.outbox_size(OUT rows bigint, OUT oldest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT max(id) FROM rowcast.changes) - oldest.id + 1, 0), oldest.at
  FROM (SELECT coalesce(max(below), 0) AS below FROM rowcast.pruned) p
  LEFT JOIN LATERAL (SELECT c.id, c.at FROM rowcast.changes c WHERE c.id >= p.below ORDER BY c.id LIMIT 1) oldest ON true
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;

-- As in 010_roles.sql and 011_seeing_inside.sql, should one have been dropped.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_api') THEN
    GRANT EXECUTE ON FUNCTION rowcast.outbox_size() TO rowcast_api;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_listener') THEN
    GRANT EXECUTE ON FUNCTION rowcast.outbox_size(), rowcast.prune(text, bigint, interval, integer) TO rowcast_listener;
  END IF;
END
$$;
