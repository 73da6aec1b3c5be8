-- What operators ask about the outbox, cheap enough to be asked every few seconds: no scan of the table.

-- How many rows there are at most, by the ids of the first and the last (identity ids have gaps only where transactions
-- were rolled back; reltuples would be as old as the last ANALYZE), and when the oldest was written; null when empty.
CREATE OR REPLACE FUNCTION rowcast.outbox_size(OUT rows bigint, OUT oldest_at timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce((SELECT max(id) FROM rowcast.changes) - (SELECT min(id) FROM rowcast.changes) + 1, 0),
    (SELECT at FROM rowcast.changes ORDER BY id LIMIT 1)
$$;

-- How many committed changes a reader at `cursor` has not had yet, counted up to `max_rows`; null for no cursor.
-- @throws 22023 when the cursor is none.
CREATE OR REPLACE FUNCTION rowcast.waiting(cursor text, max_rows integer) RETURNS integer
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  seen record;
  unseen_from xid8;
  unseen_too xid8[];
BEGIN
  IF cursor IS NULL THEN
    RETURN NULL;
  END IF;
  SELECT * INTO seen FROM rowcast.parse_cursor(cursor);
  unseen_from := pg_snapshot_xmax(seen.base);
  unseen_too := ARRAY(SELECT pg_snapshot_xip(seen.base));
  -- Amid a window (target is there), its rows up to the last id have been read.
  RETURN (SELECT count(*) FROM (
    (SELECT FROM rowcast.changes c WHERE c.xid = ANY (unseen_too)
      AND (seen.target IS NULL OR c.id > seen.last OR NOT pg_visible_in_snapshot(c.xid, seen.target)) LIMIT max_rows)
    UNION ALL
    (SELECT FROM rowcast.changes c WHERE c.xid >= unseen_from
      AND (seen.target IS NULL OR c.id > seen.last OR NOT pg_visible_in_snapshot(c.xid, seen.target)) LIMIT max_rows)
    LIMIT max_rows) w);
END
$$;

REVOKE ALL ON FUNCTION rowcast.outbox_size(), rowcast.waiting(text, integer) FROM PUBLIC;
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_api') THEN
    GRANT EXECUTE ON FUNCTION rowcast.outbox_size(), rowcast.waiting(text, integer) TO rowcast_api;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_listener') THEN
    GRANT EXECUTE ON FUNCTION rowcast.outbox_size(), rowcast.waiting(text, integer) TO rowcast_listener;
  END IF;
END
$$;
