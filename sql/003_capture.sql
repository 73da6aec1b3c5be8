-- From a statement on a watched table to rows of the outbox: what the triggers run.
--
-- One statement is one INSERT ... SELECT from the transition tables. The functions run as the owner of Rowcast, so that
-- a writer needs no right on the outbox, and pin every setting that changes how to_jsonb writes a value, so that a
-- writer's session does not show in the data (all together 1 microsecond a statement).
--
-- Arguments of the triggers: the table's name as clients see it, its key columns, the watched columns (empty: all), and
-- `virtual` when it has virtual generated columns; on a table that a statement may change twice, a fifth one (`marked`). They save a look into the catalog; 004_watch.sql keeps them true.

-- The columns of the primary key, in its order; null when there is none.
CREATE OR REPLACE FUNCTION rowcast.key_columns(target oid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT array_agg(a.attname::text ORDER BY k.place)
  FROM pg_index i
  CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place)
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
  WHERE i.indrelid = target AND i.indisprimary AND k.place <= i.indnkeyatts
$$;

-- What capture() runs where the common ways do not fit; $1 to $4 are what it calls now_, name_, keys and watched. The
-- three operations are one statement here.
--
-- A transition table holds nulls for virtual generated columns (Postgres 18.4), so they are computed from their
-- definitions, in which Postgres allows nothing but built-in functions.
--
-- Foreign keys make several updates of one row within one statement: ON DELETE SET NULL of two of them, or of one beside
-- the statement itself. What is in both transition tables is a state in between; without these, each key is in each
-- table once.
CREATE OR REPLACE FUNCTION rowcast.capture_sql(target oid, operation text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  virtual text;
  side text := 'SELECT j, (SELECT jsonb_object_agg(k, j -> k) FROM unnest($3) k) AS key
    FROM (SELECT CASE WHEN $4 IS NULL THEN w ELSE (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(w) c
        WHERE c.key = ANY ($4)) END AS j
      FROM (SELECT to_jsonb(r.*)%1$s AS w FROM %2$s r%3$s OFFSET 0) whole OFFSET 0) rows
    WHERE j ?& $3 OFFSET 0';
  except_ text := ' EXCEPT ALL SELECT to_jsonb(r.*)%s FROM %s r';
  none text := 'SELECT NULL::jsonb AS j, NULL::jsonb AS key WHERE false';
BEGIN
  SELECT string_agg(format(' || jsonb_build_object(%L, (%s))', a.attname, pg_get_expr(d.adbin, d.adrelid)), '')
  INTO virtual
  FROM pg_attribute a
  JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
  WHERE a.attrelid = target AND a.attgenerated = 'v' AND NOT a.attisdropped;
  RETURN format('INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
    SELECT $1, $2, CASE WHEN n.key IS NULL THEN ''DELETE'' WHEN o.key IS NULL THEN ''INSERT'' ELSE ''UPDATE'' END,
      coalesce(n.key, o.key), coalesce(n.j, o.j), d.old
    FROM (%s) o FULL JOIN (%s) n ON n.key = o.key
    CROSS JOIN LATERAL (
      SELECT jsonb_object_agg(c.key, c.value) AS old FROM jsonb_each(o.j) c
      WHERE n.key IS NOT NULL AND c.value IS DISTINCT FROM n.j -> c.key
    ) d
    WHERE o.key IS NULL OR n.key IS NULL OR d.old IS NOT NULL
    ORDER BY n.key IS NOT NULL',
    CASE operation WHEN 'INSERT' THEN none WHEN 'DELETE' THEN format(side, virtual, 'old_rows', '')
      ELSE format(side, virtual, 'old_rows', format(except_, virtual, 'new_rows')) END,
    CASE operation WHEN 'DELETE' THEN none WHEN 'INSERT' THEN format(side, virtual, 'new_rows', '')
      ELSE format(side, virtual, 'new_rows', format(except_, virtual, 'old_rows')) END);
END
$$;

-- BEFORE INSERT, UPDATE, DELETE FOR EACH STATEMENT of a marked table: notes how far the outbox goes as the statement
-- begins. What lies behind this mark when the statement is captured was done within it: 008_order.sql says what for.
--
-- The marks of statements within statements are a stack, `/12/57`, in a setting that ends with the transaction and that
-- a savepoint takes back. One stack for each table and operation: the statements of one WITH end in another order than
-- they begin, and an upsert or a MERGE fires the triggers of each operation, also of those it makes no use of. At most
-- one statement of a kind is under way at each level, and inner ones end first. The length is bounded in case that
-- somebody has disabled the trigger that takes marks away. (No nextval: that takes a transaction id.)
CREATE OR REPLACE FUNCTION rowcast.mark_statement() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stack text := 'rowcast.mark_' || TG_RELID || '_' || TG_OP;
BEGIN
  PERFORM set_config(stack, right(coalesce(current_setting(stack, true), '')
    || '/' || coalesce(pg_sequence_last_value('rowcast.changes_id_seq'), 0), 5000), true);
  RETURN NULL;
END
$$;

-- Takes the uppermost mark off its stack. Null when there is none, or none that can be read.
CREATE OR REPLACE FUNCTION rowcast.take_mark(relation oid, operation text) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  stack text := 'rowcast.mark_' || relation || '_' || operation;
  marks text := current_setting(stack, true);
  mark text := split_part(marks, '/', -1);
BEGIN
  IF marks <> '' THEN
    PERFORM set_config(stack, left(marks, -1 - length(mark)), true);
  END IF;
  RETURN CASE WHEN mark ~ '^[0-9]{1,18}$' THEN mark::bigint END;
END
$$;

-- AFTER INSERT, UPDATE, DELETE FOR EACH STATEMENT, the transition tables being new_rows and old_rows.
--
-- UPDATE pairs old and new rows by key. What has no partner had its key changed: a DELETE, and an INSERT. The join is a
-- FULL JOIN because that can never be planned as nested loops: the plan is kept, and one that was made for a statement
-- of one row also runs for 100,000. Deletes are sorted first, as they happened.
-- (`r.*` and not `r`: in a table with a column r, the latter is the column.)
CREATE OR REPLACE FUNCTION rowcast.capture() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
SET lc_monetary = 'C'
SET jit = off -- a plan that was made for a huge statement would be compiled again for each small one
AS $$
DECLARE
  now_ timestamptz := clock_timestamp();
  name_ text := TG_ARGV[0];
  keys text[] := TG_ARGV[1];
  watched text[] := nullif(TG_ARGV[2], '');
  true_keys text[];
  captured bigint;
  mark bigint; -- where the outbox ended before the statement, on a marked table
  last bigint; -- where it ends before this capture
  several boolean := false; -- updates of one row, perhaps, on a marked table
  key1 text; -- the only column of the key: the common case, and a shorter way
BEGIN
  IF TG_ARGV[4] IS NOT NULL THEN
    mark := rowcast.take_mark(TG_RELID, TG_OP);
    last := coalesce(pg_sequence_last_value('rowcast.changes_id_seq'), 0);
    IF TG_OP = 'UPDATE' THEN
      several := EXISTS (SELECT FROM old_rows OFFSET 1)
        AND EXISTS (SELECT to_jsonb(o.*) FROM old_rows o INTERSECT SELECT to_jsonb(n.*) FROM new_rows n);
    END IF;
  END IF;
  LOOP
    key1 := CASE cardinality(keys) WHEN 1 THEN keys[1] END;
    IF TG_ARGV[3] = 'virtual' OR several THEN
      EXECUTE rowcast.capture_sql(TG_RELID, TG_OP) USING now_, name_, keys, watched;
    ELSIF TG_OP = 'INSERT' THEN
      INSERT INTO rowcast.changes (at, "table", operation, key, data)
      SELECT now_, name_, 'INSERT',
        CASE WHEN key1 IS NOT NULL THEN jsonb_build_object(key1, n.j -> key1)
          ELSE (SELECT jsonb_object_agg(k, n.j -> k) FROM unnest(keys) k) END,
        CASE WHEN watched IS NULL THEN n.j
          ELSE (SELECT jsonb_object_agg(c, n.j -> c) FROM unnest(watched) c WHERE n.j ? c) END
      FROM (SELECT to_jsonb(r.*) AS j FROM new_rows r OFFSET 0) n
      WHERE n.j ?& keys;
    ELSIF TG_OP = 'DELETE' THEN
      INSERT INTO rowcast.changes (at, "table", operation, key, data)
      SELECT now_, name_, 'DELETE',
        CASE WHEN key1 IS NOT NULL THEN jsonb_build_object(key1, o.j -> key1)
          ELSE (SELECT jsonb_object_agg(k, o.j -> k) FROM unnest(keys) k) END,
        CASE WHEN watched IS NULL THEN o.j
          ELSE (SELECT jsonb_object_agg(c, o.j -> c) FROM unnest(watched) c WHERE o.j ? c) END
      FROM (SELECT to_jsonb(r.*) AS j FROM old_rows r OFFSET 0) o
      WHERE o.j ?& keys;
    ELSIF key1 IS NOT NULL AND watched IS NULL THEN -- what the last branch does, in a plan a third cheaper to start
      INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
      SELECT now_, name_,
        CASE WHEN n.key IS NULL THEN 'DELETE' WHEN o.key IS NULL THEN 'INSERT' ELSE 'UPDATE' END,
        coalesce(n.key, o.key), coalesce(n.j, o.j), d.old
      FROM (
        SELECT j, jsonb_build_object(key1, j -> key1) AS key
        FROM (SELECT to_jsonb(r.*) AS j FROM old_rows r OFFSET 0) rows
        WHERE j ? key1 OFFSET 0
      ) o FULL JOIN (
        SELECT j, jsonb_build_object(key1, j -> key1) AS key
        FROM (SELECT to_jsonb(r.*) AS j FROM new_rows r OFFSET 0) rows
        WHERE j ? key1 OFFSET 0
      ) n ON n.key = o.key
      CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(c.key, c.value) AS old FROM jsonb_each(o.j) c
        WHERE n.key IS NOT NULL AND c.value IS DISTINCT FROM n.j -> c.key
      ) d
      WHERE o.key IS NULL OR n.key IS NULL OR d.old IS NOT NULL
      ORDER BY n.key IS NOT NULL;
    ELSE
      INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
      SELECT now_, name_,
        CASE WHEN n.key IS NULL THEN 'DELETE' WHEN o.key IS NULL THEN 'INSERT' ELSE 'UPDATE' END,
        coalesce(n.key, o.key), coalesce(n.j, o.j), d.old
      FROM (
        SELECT j, CASE WHEN key1 IS NOT NULL THEN jsonb_build_object(key1, j -> key1)
          ELSE (SELECT jsonb_object_agg(k, j -> k) FROM unnest(keys) k) END AS key
        FROM (SELECT CASE WHEN watched IS NULL THEN to_jsonb(r.*)
          ELSE (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(to_jsonb(r.*)) c
            WHERE c.key = ANY (watched)) END AS j FROM old_rows r OFFSET 0) rows
        WHERE j ?& keys OFFSET 0
      ) o FULL JOIN (
        SELECT j, CASE WHEN key1 IS NOT NULL THEN jsonb_build_object(key1, j -> key1)
          ELSE (SELECT jsonb_object_agg(k, j -> k) FROM unnest(keys) k) END AS key
        FROM (SELECT CASE WHEN watched IS NULL THEN to_jsonb(r.*)
          ELSE (SELECT jsonb_object_agg(c.key, c.value) FROM jsonb_each(to_jsonb(r.*)) c
            WHERE c.key = ANY (watched)) END AS j FROM new_rows r OFFSET 0) rows
        WHERE j ?& keys OFFSET 0
      ) n ON n.key = o.key
      CROSS JOIN LATERAL (
        SELECT jsonb_object_agg(c.key, c.value) AS old FROM jsonb_each(o.j) c
        WHERE n.key IS NOT NULL AND c.value IS DISTINCT FROM n.j -> c.key
      ) d
      WHERE o.key IS NULL OR n.key IS NULL OR d.old IS NOT NULL
      ORDER BY n.key IS NOT NULL;
    END IF;
    GET DIAGNOSTICS captured = ROW_COUNT; -- not FOUND, which EXECUTE does not set
    IF captured > 0 THEN
      IF mark < last THEN
        PERFORM rowcast.put_in_order(TG_RELID, name_, mark, last);
      END IF;
      PERFORM rowcast.ring();
      RETURN NULL;
    END IF;
    -- Nothing to tell: or the rows have no such key, because a column was renamed or the key changed since watch() and
    -- no event trigger may follow DDL here. A table that has lost its key is told by whole rows.
    true_keys := coalesce(rowcast.key_columns(TG_RELID), (SELECT array_agg(attname::text) FROM pg_attribute
      WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped));
    IF keys @> true_keys THEN
      RETURN NULL;
    END IF;
    keys := true_keys;
    watched := watched || true_keys;
  END LOOP;
END
$$;

-- BEFORE and AFTER TRUNCATE. A table, or the root of a partitioned one, is one TRUNCATE. A partition is but a part of
-- what clients see: its rows are deleted one by one. Postgres fires the triggers of each partition of a truncated root
-- too, hence the note, for the length of the statement, of what is being truncated as a whole.
CREATE OR REPLACE FUNCTION rowcast.capture_truncate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
SET TimeZone = 'UTC'
SET DateStyle = 'ISO, YMD'
SET IntervalStyle = 'postgres'
SET extra_float_digits = 1
SET bytea_output = 'hex'
SET lc_monetary = 'C'
AS $$
DECLARE
  truncating oid[] := string_to_array(nullif(current_setting('rowcast.truncating', true), ''), ',');
  is_part boolean := EXISTS (SELECT FROM pg_class WHERE oid = TG_RELID AND relispartition);
BEGIN
  IF TG_WHEN = 'AFTER' THEN
    PERFORM set_config('rowcast.truncating', array_to_string(array_remove(truncating, TG_RELID), ','), true);
    IF NOT is_part THEN
      INSERT INTO rowcast.changes ("table", operation) VALUES (TG_ARGV[0], 'TRUNCATE');
      PERFORM rowcast.ring();
    END IF;
    RETURN NULL;
  END IF;
  IF is_part AND EXISTS (SELECT FROM pg_partition_ancestors(TG_RELID) WHERE relid = ANY (truncating)) THEN
    RETURN NULL;
  END IF;
  IF EXISTS (SELECT FROM pg_class WHERE oid = TG_RELID AND relkind = 'p') THEN
    PERFORM set_config('rowcast.truncating', array_to_string(truncating || TG_RELID, ','), true);
  END IF;
  IF is_part THEN
    EXECUTE format('INSERT INTO rowcast.changes (at, "table", operation, key, data)
      SELECT $1, $2, ''DELETE'', (SELECT jsonb_object_agg(k, j -> k) FROM unnest($3) k),
        CASE WHEN $4 IS NULL THEN j
          ELSE (SELECT jsonb_object_agg(c, j -> c) FROM unnest($4) c WHERE j ? c) END
      FROM (SELECT to_jsonb(r.*) AS j FROM %s r OFFSET 0) rows', TG_RELID::regclass)
    USING clock_timestamp(), TG_ARGV[0], TG_ARGV[1]::text[], nullif(TG_ARGV[2], '')::text[];
    PERFORM rowcast.ring();
  END IF;
  RETURN NULL;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
