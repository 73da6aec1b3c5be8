-- Bundles: a statement that changes many rows is told by few rows of the outbox.
--
-- A row for each change costs a writer most of what a large statement costs: the row itself and two index entries. So from
-- the hundredth row on, many changes share one: `bundle` holds them, a line each (JSON never has a raw line feed), from
-- key to old as change_json() writes them, and `bundle_size` says how many they are; `key`, `data` and `old` are null then.
-- One transaction, table, operation and moment are theirs together, and so is one id.
--
-- To readers nothing of this shows: rowcast.read() gives change after change. A page may end within a bundle, and then the
-- cursor is `base|target|last id.n`: n changes of the bundle after `last id` have been read.

ALTER TABLE rowcast.changes ADD COLUMN IF NOT EXISTS bundle text, ADD COLUMN IF NOT EXISTS bundle_size integer;
ALTER TABLE rowcast.changes ALTER COLUMN bundle SET STORAGE EXTERNAL; -- pglz would take longer than all the rest

-- Takes a cursor apart. `target` and `last` are null in a cursor that is one snapshot; `within` is 0 unless a bundle has
-- been read in part.
CREATE OR REPLACE FUNCTION rowcast.place_of(
  cursor text, OUT base pg_snapshot, OUT target pg_snapshot, OUT last bigint, OUT within integer
)
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  parts text[] := string_to_array(cursor, '|');
BEGIN
  IF cursor !~ '^[0-9]+:[0-9]+:[0-9,]*(\|[0-9]+:[0-9]+:[0-9,]*\|[0-9]+(\.[0-9]{1,9})?)?$' THEN
    RAISE invalid_parameter_value;
  END IF;
  base := parts[1]::pg_snapshot;
  target := parts[2]::pg_snapshot;
  last := split_part(parts[3], '.', 1)::bigint;
  within := coalesce(nullif(split_part(parts[3], '.', 2), ''), '0')::integer;
EXCEPTION WHEN invalid_parameter_value OR invalid_text_representation OR numeric_value_out_of_range THEN
  RAISE 'not a cursor of rowcast.read: %', quote_literal(left(cursor, 80)) USING ERRCODE = 'invalid_parameter_value',
    HINT = 'Pass back next_cursor as it came, or null to begin with what comes from now on.';
END
$$;

-- A change of a bundle as the text of an OutboxChange, between what the whole bundle has in common and its line.
CREATE OR REPLACE FUNCTION rowcast.bundle_head(c rowcast.changes) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT '{"id":"' || c.id || '","xid":"' || c.xid::text || '","table":' || to_json(c."table") || ',"operation":"'
    || c.operation || '",'
$$;

CREATE OR REPLACE FUNCTION rowcast.bundle_tail(c rowcast.changes) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT ',"timestamp":"' || to_char(c.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}'
$$;

-- As in 005_read.sql, and bundles are taken apart.
CREATE OR REPLACE FUNCTION rowcast.read(
  cursor text, max_changes integer DEFAULT 500, max_bytes integer DEFAULT 1000000,
  OUT changes text, OUT count integer, OUT next_cursor text, OUT more boolean
)
LANGUAGE plpgsql STABLE SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET jit = off
SET plan_cache_mode = force_generic_plan
SET enable_seqscan = off
SET enable_bitmapscan = off
SET enable_sort = off
AS $$
DECLARE
  base pg_snapshot;
  target pg_snapshot;
  last bigint;
  within integer; -- so many of the bundle `last` have been read
  unseen_from xid8;
  unseen_too xid8[];
  ids bigint[];
  id_ bigint;
  json text;
  head text;
  tail text;
  bundle_ text;
  size integer;
  lines text[];
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
  SELECT * INTO base, target, last, within FROM rowcast.place_of(cursor);
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
      WHERE c.id >= CASE WHEN within > 0 THEN last ELSE last + 1 END AND pg_visible_in_snapshot(c.xid, target)
        AND (c.xid >= unseen_from OR c.xid = ANY (unseen_too))
      ORDER BY c.id LIMIT max_changes + 1);
  END IF;

  -- A loop fetches 50 rows at a time, and the large ones are written out one by one: no more than that and a page is in
  -- memory. (Of a bundle, what is fetched is a pointer.)
  <<rows>>
  FOR id_, size, bundle_, head, tail, json IN
    SELECT c.id, c.bundle_size, c.bundle, CASE WHEN c.bundle_size > 0 THEN rowcast.bundle_head(c) END,
      CASE WHEN c.bundle_size > 0 THEN rowcast.bundle_tail(c) END,
      CASE WHEN c.bundle_size IS NULL AND coalesce(pg_column_size(c.data), 0) + coalesce(pg_column_size(c.old), 0) < 8000
        THEN rowcast.change_json(c, rowcast.change_body(c.data, c.old)) END
    FROM rowcast.changes c WHERE c.id = ANY (ids) ORDER BY c.id
  LOOP
    IF count = max_changes THEN
      more := true;
      EXIT;
    END IF;
    IF last < id_ THEN
      within := 0;
    END IF;
    IF size IS NULL THEN
      IF json IS NULL OR octet_length(json) > max_bytes - 2 THEN
        json := rowcast.large_change_json(id_, max_bytes - 2);
      END IF;
      size := 1;
    ELSIF within = 0 AND count + size <= max_changes THEN
      json := head || replace(bundle_, E'\n', tail || ',' || head) || tail;
    END IF;
    IF json IS NOT NULL AND (bundle_ IS NULL AND count = 0 OR bytes + octet_length(json) + 1 <= max_bytes) THEN
      jsons := jsons || json;
      bytes := bytes + octet_length(json) + 1;
      count := count + size;
      within := 0;
    ELSIF bundle_ IS NULL THEN
      more := true;
      EXIT;
    ELSE
      lines := string_to_array(bundle_, E'\n');
      WHILE within < size LOOP
        json := head || lines[within + 1] || tail;
        IF octet_length(json) > max_bytes - 2 THEN
          json := head || '"key":' || (('{' || lines[within + 1] || '}')::jsonb -> 'key')
            || ',"data":null,"old":null,"truncated":true' || tail;
        END IF;
        IF count = max_changes OR count > 0 AND bytes + octet_length(json) + 1 > max_bytes THEN
          more := true;
          EXIT rows;
        END IF;
        jsons := jsons || json;
        bytes := bytes + octet_length(json) + 1;
        count := count + 1;
        last := id_;
        within := within + 1;
      END LOOP;
      within := 0;
    END IF;
    last := id_;
  END LOOP;
  changes := '[' || array_to_string(jsons, ',') || ']';
  IF more THEN
    next_cursor := base::text || '|' || target::text || '|' || last || CASE WHEN within > 0 THEN '.' || within ELSE '' END;
  ELSE
    next_cursor := target::text;
    -- A window that took several pages is older than this snapshot: the next one may have begun to fill.
    unseen_too := ARRAY(SELECT pg_snapshot_xip(target));
    more := EXISTS (SELECT FROM rowcast.changes c WHERE c.xid = ANY (unseen_too))
      OR EXISTS (SELECT FROM rowcast.changes c WHERE c.xid >= pg_snapshot_xmax(target));
  END IF;
END
$$;

-- As in 005_read.sql.
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
    SELECT * INTO seen FROM rowcast.place_of(cursor);
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

-- As in 011_seeing_inside.sql: changes, not rows.
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
  SELECT * INTO seen FROM rowcast.place_of(cursor);
  unseen_from := pg_snapshot_xmax(seen.base);
  unseen_too := ARRAY(SELECT pg_snapshot_xip(seen.base));
  -- Amid a window (target is there), its rows up to the last id have been read.
  RETURN (SELECT least(max_rows, coalesce(sum(n), 0)) FROM (
    (SELECT coalesce(c.bundle_size, 1) - CASE WHEN c.id = seen.last THEN seen.within ELSE 0 END AS n
      FROM rowcast.changes c WHERE c.xid = ANY (unseen_too)
        AND (seen.target IS NULL OR c.id > seen.last OR c.id = seen.last AND seen.within > 0
          OR NOT pg_visible_in_snapshot(c.xid, seen.target)) LIMIT max_rows)
    UNION ALL
    (SELECT coalesce(c.bundle_size, 1) - CASE WHEN c.id = seen.last THEN seen.within ELSE 0 END
      FROM rowcast.changes c WHERE c.xid >= unseen_from
        AND (seen.target IS NULL OR c.id > seen.last OR c.id = seen.last AND seen.within > 0
          OR NOT pg_visible_in_snapshot(c.xid, seen.target)) LIMIT max_rows)
    LIMIT max_rows) w);
END
$$;

-- As in 005_read.sql: changes, not rows. The last bundle may exceed `max_rows`.
CREATE OR REPLACE FUNCTION rowcast.prune(
  cursor text, last_id bigint, retention interval, max_rows integer DEFAULT 5000
) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET enable_seqscan = off AS $$
DECLARE
  base_ pg_snapshot := (SELECT base FROM rowcast.place_of(cursor));
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
    WITH gone AS (
      DELETE FROM rowcast.changes WHERE id = ANY (ARRAY(
        SELECT c.id FROM (
          SELECT id, sum(size) OVER (ORDER BY id) - size AS before
          FROM (SELECT id, xid, at, coalesce(bundle_size, 1) AS size FROM rowcast.changes ORDER BY id LIMIT max_rows + 1) c
          WHERE c.id IS DISTINCT FROM last_id AND c.at < now() - retention AND pg_visible_in_snapshot(c.xid, base_)
        ) c
        WHERE c.before < max_rows))
      RETURNING coalesce(bundle_size, 1) AS size
    )
    SELECT coalesce(sum(size), 0) INTO pruned FROM gone;
  END IF;
  RETURN pruned;
END
$$;

-- place_of() has taken its place.
DROP FUNCTION IF EXISTS rowcast.parse_cursor(text);

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
