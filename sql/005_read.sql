-- From the outbox to the ChangeLog: read, the identity of this history, and pruning.
--
-- A cursor is the text of a Postgres snapshot, or `base|target|last id`: a place within the window between two. A
-- window holds the rows that are visible in its target and were not in its base, in the order of their ids.

-- Takes a cursor apart. `target` and `last` are null in a cursor that is one snapshot.
CREATE OR REPLACE FUNCTION rowcast.parse_cursor(
  cursor text, OUT base pg_snapshot, OUT target pg_snapshot, OUT last bigint
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := string_to_array(cursor, '|');
BEGIN
  IF cursor !~ '^[0-9]+:[0-9]+:[0-9,]*(\|[0-9]+:[0-9]+:[0-9,]*\|[0-9]+)?$' THEN
    RAISE invalid_parameter_value;
  END IF;
  base := parts[1]::pg_snapshot;
  target := parts[2]::pg_snapshot;
  last := parts[3]::bigint;
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation OR numeric_value_out_of_range THEN
  RAISE 'not a cursor of rowcast.read: %', quote_literal(left(cursor, 80)) USING ERRCODE = 'invalid_parameter_value',
    HINT = 'Pass back next_cursor as it came, or null to begin with what comes from now on.';
END
$$;

-- The snapshot that a cursor may claim to have seen, in place of the present one.
--
-- The ids of transactions whose WAL was never flushed are given out again after a crash. A cursor with such an id below
-- its xmax would take the second bearer's changes for seen. What is visible in the outbox has been committed, so the
-- highest xid there is safe, and the cursor claims nothing above it.
CREATE OR REPLACE FUNCTION rowcast.clamped_snapshot(least_xmax xid8) RETURNS pg_snapshot
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  present pg_snapshot := pg_current_snapshot();
  own xid8 := pg_current_xact_id_if_assigned(); -- not in the snapshot, but not committed either
  highest xid8 := (SELECT xid FROM rowcast.changes
    WHERE xid < pg_snapshot_xmax(present) AND xid IS DISTINCT FROM own ORDER BY xid DESC, id DESC LIMIT 1);
  xmax_ xid8 := greatest((highest::text::numeric + 1)::text::xid8, least_xmax);
  running text;
  xmin_ xid8;
BEGIN
  SELECT string_agg(x::text, ',' ORDER BY x), (array_agg(x ORDER BY x))[1] INTO running, xmin_
  FROM (SELECT pg_snapshot_xip(present) AS x UNION SELECT own) r
  WHERE x < xmax_;
  RETURN (coalesce(xmin_, xmax_)::text || ':' || xmax_::text || ':' || coalesce(running, ''))::pg_snapshot;
END
$$;

-- A row of the outbox as the text of an OutboxChange (protocol/ingest.ts), given the part of it that may be large.
-- (A plain expression, which Postgres puts in place of the call. For that it must not have settings of its own.)
CREATE OR REPLACE FUNCTION rowcast.change_json(c rowcast.changes, body text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT '{"id":"' || c.id || '","xid":"' || c.xid::text || '","table":' || to_json(c."table") || ',"operation":"'
    || c.operation || '","key":' || coalesce(c.key::text, 'null') || body || ',"timestamp":"'
    || to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}'
$$;

CREATE OR REPLACE FUNCTION rowcast.change_body(data jsonb, old jsonb) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT ',"data":' || coalesce(data::text, 'null') || ',"old":' || coalesce(old::text, 'null')
$$;

-- The same for a large row: without the row and with `truncated` when its text is longer than `max_bytes`.
CREATE OR REPLACE FUNCTION rowcast.large_change_json(change_id bigint, max_bytes integer) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET TimeZone = 'UTC' AS $$
DECLARE
  json text;
BEGIN
  -- The size is that of the compressed jsonb, and no text is shorter than a sixteenth of its jsonb: beyond that, don't
  -- try. At the other end, text of more than a gigabyte is an error, which must not stop the stream.
  BEGIN
    SELECT rowcast.change_json(c, rowcast.change_body(c.data, c.old)) INTO json FROM rowcast.changes c
    WHERE c.id = change_id AND (coalesce(pg_column_size(c.data), 0) + coalesce(pg_column_size(c.old), 0)) / 16 <= max_bytes;
  EXCEPTION WHEN program_limit_exceeded OR out_of_memory THEN
    NULL;
  END;
  IF octet_length(json) <= max_bytes THEN
    RETURN json;
  END IF;
  RETURN (SELECT rowcast.change_json(c, ',"data":null,"old":null,"truncated":true') FROM rowcast.changes c
    WHERE c.id = change_id);
END
$$;

-- The next changes after `cursor`, one row: `changes` (the text of a JSON array of OutboxChange), their `count`, the
-- `next_cursor`, and whether `more` waits already. At most `max_changes`, and `max_bytes` of JSON unless one change
-- alone is larger: that one comes truncated. A cursor moves only with changes. Null: nothing yet, and a cursor from
-- which on everything comes that is not in the outbox now.
--
-- STABLE makes the whole call see with its caller's one snapshot. Reading within a transaction that has itself changed
-- something would read what is not committed: don't.
-- @throws 22023 when the cursor is none.
CREATE OR REPLACE FUNCTION rowcast.read(
  cursor text, max_changes integer DEFAULT 500, max_bytes integer DEFAULT 1000000,
  OUT changes text, OUT count integer, OUT next_cursor text, OUT more boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET jit = off
-- The plans are kept and must suit every state of the table: always the indexes, in their order. Not planned anew for
-- each call, a read of a few changes takes 0.3 ms instead of 0.5.
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
  base pg_snapshot;
  target pg_snapshot;
  last bigint;
  unseen_from xid8;
  unseen_too xid8[];
  ids bigint[];
  id_ bigint;
  json text;
  jsons text[] := '{}';
  bytes bigint := 2;
BEGIN
  changes := '[]';
  count := 0;
  more := false;
  IF max_changes IS NULL OR max_changes < 1 OR max_bytes IS NULL OR max_bytes < 1 THEN
    RAISE 'max_changes and max_bytes must be at least 1' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  IF cursor IS NULL THEN
    next_cursor := rowcast.clamped_snapshot('1'::xid8)::text;
    RETURN;
  END IF;
  SELECT * INTO base, target, last FROM rowcast.parse_cursor(cursor);
  unseen_from := pg_snapshot_xmax(base);
  unseen_too := ARRAY(SELECT pg_snapshot_xip(base));

  IF target IS NULL THEN
    -- A new window. "Not visible in base", said so that an index can find it however old a transaction is still open.
    -- The order makes the planner walk that index, and its end is the limit.
    ids := ARRAY(
      (SELECT c.id FROM rowcast.changes c WHERE c.xid = ANY (unseen_too) ORDER BY c.xid, c.id LIMIT max_changes + 1)
      UNION ALL
      (SELECT c.id FROM rowcast.changes c WHERE c.xid >= unseen_from ORDER BY c.xid, c.id LIMIT max_changes + 1)
      LIMIT max_changes + 1);
    IF cardinality(ids) = 0 THEN
      next_cursor := cursor;
      RETURN;
    END IF;
    target := rowcast.clamped_snapshot(unseen_from);
    last := 0;
    IF cardinality(ids) > max_changes THEN
      -- Too much for one page: begin at its lowest id. (OFFSET 0: not along the ids from the first on.)
      last := least(
        (SELECT min(id) FROM (SELECT c.id FROM rowcast.changes c WHERE c.xid = ANY (unseen_too) OFFSET 0) w),
        (SELECT min(id) FROM (SELECT c.id FROM rowcast.changes c WHERE c.xid >= unseen_from OFFSET 0) w)) - 1;
      ids := NULL;
    END IF;
  END IF;
  IF ids IS NULL THEN
    ids := ARRAY(SELECT c.id FROM rowcast.changes c
      WHERE c.id > last AND pg_visible_in_snapshot(c.xid, target)
        AND (c.xid >= unseen_from OR c.xid = ANY (unseen_too))
      ORDER BY c.id LIMIT max_changes + 1);
  END IF;

  -- A loop fetches 50 rows at a time, and the large ones are written out one by one: no more than that and a page is in
  -- memory.
  FOR id_, json IN
    SELECT c.id, CASE WHEN coalesce(pg_column_size(c.data), 0) + coalesce(pg_column_size(c.old), 0) < 8000
      THEN rowcast.change_json(c, rowcast.change_body(c.data, c.old)) END
    FROM rowcast.changes c WHERE c.id = ANY (ids) ORDER BY c.id
  LOOP
    IF count = max_changes THEN
      more := true;
      EXIT;
    END IF;
    IF json IS NULL OR octet_length(json) > max_bytes - 2 THEN
      json := rowcast.large_change_json(id_, max_bytes - 2);
    END IF;
    IF count > 0 AND bytes + octet_length(json) + 1 > max_bytes THEN
      more := true;
      EXIT;
    END IF;
    jsons := jsons || json;
    bytes := bytes + octet_length(json) + 1;
    count := count + 1;
    last := id_;
  END LOOP;
  changes := '[' || array_to_string(jsons, ',') || ']';
  IF more THEN
    next_cursor := base::text || '|' || target::text || '|' || last;
  ELSE
    next_cursor := target::text;
    -- A window that took several pages is older than this snapshot: the next one may have begun to fill.
    unseen_too := ARRAY(SELECT pg_snapshot_xip(target));
    more := EXISTS (SELECT FROM rowcast.changes c WHERE c.xid = ANY (unseen_too))
      OR EXISTS (SELECT FROM rowcast.changes c WHERE c.xid >= pg_snapshot_xmax(target));
  END IF;
END
$$;

-- Which history cursors belong to: it differs after dump and load, in a copy of the database, and in another cluster.
-- (Going back in time within one cluster leaves it as it was: check_history finds that.)
CREATE OR REPLACE FUNCTION rowcast.source() RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  cluster text := '';
BEGIN
  BEGIN
    cluster := (SELECT system_identifier FROM pg_control_system());
  EXCEPTION WHEN insufficient_privilege THEN
    NULL; -- some hosts keep it to themselves
  END;
  RETURN (SELECT id FROM rowcast.identity) || ':' || cluster || ':'
    || (SELECT oid FROM pg_database WHERE datname = current_database());
END
$$;

-- Whether `cursor` and the last change that was stored still belong to this database's history: null, or the reason
-- why not, in words. What is null is not checked.
CREATE OR REPLACE FUNCTION rowcast.check_history(
  source text, cursor text, last_id bigint, last_xid xid8, last_at timestamptz
) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  seen record;
  found_ rowcast.changes;
BEGIN
  IF source <> rowcast.source() THEN
    RETURN 'this is another database than the one that was read before';
  END IF;
  IF cursor IS NOT NULL THEN
    SELECT * INTO seen FROM rowcast.parse_cursor(cursor);
    IF greatest(pg_snapshot_xmax(seen.base), pg_snapshot_xmax(seen.target)) > pg_snapshot_xmax(pg_current_snapshot()) THEN
      RETURN 'the database has gone back in time: the cursor is ahead of its transactions';
    END IF;
  END IF;
  IF last_id IS NOT NULL THEN
    SELECT * INTO found_ FROM rowcast.changes WHERE id = last_id;
    IF NOT FOUND THEN
      RETURN 'the last change that was read is not in the outbox any more';
    ELSIF found_.xid <> last_xid OR found_.at <> last_at THEN
      RETURN 'the last change that was read is another one in the outbox';
    END IF;
  END IF;
  RETURN NULL;
END
$$;

-- Deletes changes that are older than `retention` and that every reader of `cursor` has, but never `last_id`, by which
-- check_history knows this history; and what idempotency keys remember of more than a day ago. At most `max_rows`
-- changes a call, the oldest; returns how many. It looks at no more rows than that, so that a call with nothing to do
-- is cheap, and leaves it to the other when two call at once.
CREATE OR REPLACE FUNCTION rowcast.prune(
  cursor text, last_id bigint, retention interval, max_rows integer DEFAULT 5000
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  base_ pg_snapshot := (SELECT base FROM rowcast.parse_cursor(cursor));
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
    DELETE FROM rowcast.changes WHERE id = ANY (ARRAY(
      SELECT c.id FROM (SELECT id, xid, at FROM rowcast.changes ORDER BY id LIMIT max_rows + 1) c
      WHERE c.id IS DISTINCT FROM last_id AND c.at < now() - retention AND pg_visible_in_snapshot(c.xid, base_)
      ORDER BY c.id LIMIT max_rows));
    GET DIAGNOSTICS pruned = ROW_COUNT;
  END IF;
  RETURN pruned;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
