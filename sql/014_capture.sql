-- Capture that costs a writer less: for each watched table, and each partition, three functions that are written for it
-- (INSERT, UPDATE, DELETE), instead of one for all of them (003_capture.sql).
--
-- Such a function knows the columns by name and type: plans are kept, rows are paired by their typed keys instead of by
-- jsonb, compared column by column, and turned into jsonb once. What is told is the same to the character.
--
-- It must never make a writer's statement fail, also when the table was altered and no event trigger could follow. So its
-- first query, which cannot fail whatever the columns are, compares the rows with what the function was written for. Where
-- they differ, capture_sql() writes the statement anew, from the catalog: slower, and right until the next watch().

-- Rings the doorbell (009_doorbell.sql). No setting is pinned, which would cost more than all the rest: every name is
-- qualified, and there is no operator.
CREATE OR REPLACE FUNCTION rowcast.ring() RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.pg_try_advisory_lock_shared(32210705904137076) THEN -- rowcast.doorbell_lock()
    IF pg_catalog.pg_advisory_unlock_shared(32210705904137076)
        AND pg_catalog.pg_notify('rowcast_changes', '') IS NULL THEN -- a plain expression, cheaper than a statement
    END IF;
  END IF;
END
$$;
ALTER FUNCTION rowcast.ring() RESET ALL;

-- Whether values of a type are equal just when their jsonb is: then they are compared as they are (text byte by byte).
CREATE OR REPLACE FUNCTION rowcast.compares_exactly(type oid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'numeric'::regtype, 'float4'::regtype, 'float8'::regtype,
      'bool'::regtype, 'uuid'::regtype, 'date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype, 'text'::regtype,
      'varchar'::regtype)
    OR EXISTS (SELECT FROM pg_type WHERE oid = type AND typtype = 'e')
$$;

-- The name of the function for one table and operation. By the table's name and not its oid, which a dump does not carry.
CREATE OR REPLACE FUNCTION rowcast.capture_name(relation regclass, operation text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT 'capture_' || lower(operation) || '_' || left(md5(rowcast.table_name(relation)), 16)
$$;

-- The body of that function. `arguments` are those of the triggers, as 003_capture.sql describes them.
--
-- The first query: in the inner SELECT a column's name means the column of the transition table, and the dummy around it
-- only where there is none. So it can be parsed whatever the table looks like; a dummy is of another type than the column.
-- A column that was added is one with a higher number.
--
-- UPDATE: one row, the usual case, needs no join. More are paired by a FULL JOIN, which can never be planned as nested
-- loops (the plan is kept, also if it was made for a few rows). Where keys changed, what has no partner is told as DELETE
-- or INSERT, and these come last: not by a sort of everything, but in a second statement, which a note asks for.
CREATE OR REPLACE FUNCTION rowcast.capture_body(relation regclass, operation text, arguments text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  name_ text := quote_literal(arguments[1]);
  keys text[] := arguments[2];
  watched text[] := nullif(arguments[3], '');
  marked boolean := arguments[5] IS NOT NULL;
  split boolean := (SELECT relkind = 'p' OR relispartition FROM pg_class WHERE oid = relation);
  side text := CASE operation WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
  is_fast boolean; -- whether the table can be told in the fast way
  dummies text; -- `NULL::bool AS id, ...`
  columns text; -- `id, ...`
  types text; -- whether they are those that the function was written for
  next_ integer; -- the number of the next column that is added
  o_key text; -- the key as jsonb, of the row o and of the row n
  n_key text;
  o_data text; -- what is told of them
  n_data text;
  equal text; -- whether o and n have one key
  differ text; -- whether o and n differ in what is told
  old text; -- the former values
  first_key text;
  lines text[] := '{}';
BEGIN
  SELECT arguments[4] = '' AND count(*) <= 100 AND bool_or(attname = ANY (keys)), max(attnum) + 1 INTO is_fast, next_
  FROM pg_attribute WHERE attrelid = relation AND attnum > 0;
  SELECT is_fast AND count(*) = cardinality(keys) INTO is_fast
  FROM pg_attribute WHERE attrelid = relation AND attname = ANY (keys) AND NOT attisdropped;
  first_key := quote_ident(keys[1]);

  SELECT string_agg(format('NULL::%s AS %I', CASE WHEN atttypid = 'bool'::regtype THEN 'int' ELSE 'bool' END, attname),
      ', ' ORDER BY attnum),
    string_agg(quote_ident(attname), ', ' ORDER BY attnum),
    string_agg(format('pg_typeof(c.%I)::oid = %s', attname, atttypid), ' AND ' ORDER BY attnum),
    string_agg(format('jsonb_build_object(%L, o.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_key),
    string_agg(format('jsonb_build_object(%L, n.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_key),
    CASE WHEN watched IS NULL THEN 'to_jsonb(o.*)' ELSE
      string_agg(format('jsonb_build_object(%L, o.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_told) END,
    CASE WHEN watched IS NULL THEN 'to_jsonb(n.*)' ELSE
      string_agg(format('jsonb_build_object(%L, n.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_told) END,
    string_agg(CASE WHEN is_text THEN format('o.%1$I COLLATE "C" = n.%1$I COLLATE "C"', attname)
      WHEN is_exact THEN format('o.%1$I = n.%1$I', attname) ELSE format('to_jsonb(o.%1$I) = to_jsonb(n.%1$I)', attname) END,
      ' AND ' ORDER BY attnum) FILTER (WHERE is_key),
    coalesce(string_agg(unequal, ' OR ' ORDER BY attnum) FILTER (WHERE is_told AND NOT is_key), 'false'),
    coalesce(string_agg(format('CASE WHEN %s THEN jsonb_build_object(%L, o.%2$I) ELSE ''{}'' END', unequal, attname),
      E'\n        || ' ORDER BY attnum) FILTER (WHERE is_told AND NOT is_key), 'NULL::jsonb')
  INTO dummies, columns, types, o_key, n_key, o_data, n_data, equal, differ, old
  FROM (
    SELECT *, CASE WHEN is_text THEN format('o.%1$I COLLATE "C" IS DISTINCT FROM n.%1$I COLLATE "C"', attname)
      WHEN is_exact THEN format('o.%1$I IS DISTINCT FROM n.%1$I', attname)
      ELSE format('coalesce(to_jsonb(o.%1$I), ''null'') <> coalesce(to_jsonb(n.%1$I), ''null'')', attname) END AS unequal
    FROM (
      SELECT attname, attnum, atttypid, atttypid IN ('text'::regtype, 'varchar'::regtype) AS is_text,
        rowcast.compares_exactly(atttypid) AS is_exact, attname = ANY (keys) AS is_key,
        watched IS NULL OR attname = ANY (watched) AS is_told
      FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
    ) a
  ) c;

  lines := lines || ARRAY['#variable_conflict use_column', '<<own>>', 'DECLARE', '  now_ timestamptz := clock_timestamp();',
    '  fits boolean := false;', '  many boolean := false;', '  captured bigint := 0;', '  keys text[];', '  watched text[];',
    '  true_keys text[];'];
  IF marked THEN
    lines := lines || format($$  several boolean := false;
  mark bigint := rowcast.take_mark(TG_RELID, TG_OP);
  last bigint := coalesce(pg_sequence_last_value('rowcast.changes_id_seq'), 0);$$);
  END IF;
  lines := lines || 'BEGIN'::text;

  IF is_fast THEN
    lines := lines || format($$  SELECT %s, %s INTO own.fits, own.many
  FROM (SELECT %s) dummy CROSS JOIN LATERAL (SELECT %s FROM %s LIMIT 1) c;$$, types,
      CASE WHEN operation = 'UPDATE' AND NOT split THEN 'EXISTS (SELECT FROM new_rows OFFSET 1)' ELSE 'true' END,
      dummies, columns, side);
    lines := lines || format($$  IF own.fits AND (has_column_privilege(TG_RELID, %s::int2, 'SELECT') IS NOT NULL
      OR has_column_privilege(TG_RELID, %s::int2, 'SELECT') IS NOT NULL) THEN
    own.fits := false;
  END IF;$$, next_, next_ + 1);
  END IF;
  lines := lines || format($$  IF own.fits IS NOT TRUE AND NOT EXISTS (SELECT FROM %s) THEN
    RETURN NULL;
  END IF;$$, CASE WHEN operation = 'UPDATE' AND split THEN
      '(SELECT true AS x FROM old_rows UNION ALL SELECT true FROM new_rows) rows' ELSE side END);
  IF marked AND operation = 'UPDATE' THEN
    lines := lines || $$  several := EXISTS (SELECT FROM old_rows OFFSET 1)
    AND EXISTS (SELECT to_jsonb(o.*) FROM old_rows o INTERSECT SELECT to_jsonb(n.*) FROM new_rows n);
  IF own.several THEN
    own.fits := false;
  END IF;$$::text;
  END IF;

  IF is_fast AND operation <> 'UPDATE' THEN
    lines := lines || format($$  IF own.fits THEN
    INSERT INTO rowcast.changes (at, "table", operation, key, data)
    SELECT own.now_, %s, %L, %s, %s FROM %s;
    GET DIAGNOSTICS captured = ROW_COUNT;
  END IF;$$, name_, operation, CASE operation WHEN 'DELETE' THEN o_key ELSE n_key END,
      CASE operation WHEN 'DELETE' THEN o_data ELSE n_data END,
      CASE operation WHEN 'DELETE' THEN 'old_rows o' ELSE 'new_rows n' END);
  ELSIF is_fast THEN
    IF NOT split THEN
      lines := lines || format($$  IF own.fits AND NOT own.many THEN
    INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
    SELECT own.now_, %s, 'UPDATE', %s, %s,
      %s
    FROM old_rows o CROSS JOIN new_rows n
    WHERE %s AND (%s);
    GET DIAGNOSTICS captured = ROW_COUNT;
  END IF;$$, name_, n_key, n_data, old, equal, differ);
    END IF;
    lines := lines || format($$  IF own.fits AND own.captured = 0 THEN
    INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
    SELECT own.now_, %1$s, CASE WHEN n.%2$s IS NULL AND (n.*) IS NULL THEN 'DELETE' ELSE 'UPDATE' END,
      CASE WHEN n.%2$s IS NULL AND (n.*) IS NULL THEN %4$s ELSE %3$s END,
      CASE WHEN n.%2$s IS NULL AND (n.*) IS NULL THEN %6$s ELSE %5$s END,
      CASE WHEN n.%2$s IS NULL AND (n.*) IS NULL THEN NULL ELSE %7$s END
    FROM old_rows o FULL JOIN new_rows n ON %8$s
    WHERE CASE WHEN o.%2$s IS NULL AND (o.*) IS NULL THEN set_config('rowcast.key_changed', 'yes', true) = ''
      WHEN n.%2$s IS NULL AND (n.*) IS NULL THEN true
      ELSE %9$s END;
    GET DIAGNOSTICS captured = ROW_COUNT;
    IF current_setting('rowcast.key_changed', true) = 'yes' AND set_config('rowcast.key_changed', '', true) = '' THEN
      INSERT INTO rowcast.changes (at, "table", operation, key, data)
      SELECT own.now_, %1$s, 'INSERT', %3$s, %5$s
      FROM old_rows o FULL JOIN new_rows n ON %8$s
      WHERE o.%2$s IS NULL AND (o.*) IS NULL;
      own.captured := 1;
    END IF;
  END IF;$$, name_, first_key, n_key, o_key, n_data, o_data, old, equal, differ);
  END IF;

  -- As in 003_capture.sql: the rows may have no such key any more. A table that has lost its key is told by whole rows.
  lines := lines || $$  IF NOT own.fits THEN
    own.keys := TG_ARGV[1];
    own.watched := nullif(TG_ARGV[2], '');
    LOOP
      EXECUTE rowcast.capture_sql(TG_RELID, TG_OP) USING own.now_, TG_ARGV[0], own.keys, own.watched;
      GET DIAGNOSTICS captured = ROW_COUNT;
      EXIT WHEN own.captured > 0;
      own.true_keys := coalesce(rowcast.key_columns(TG_RELID), (SELECT array_agg(attname::text) FROM pg_attribute
        WHERE attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped));
      EXIT WHEN own.keys @> own.true_keys;
      own.keys := own.true_keys;
      own.watched := own.watched || own.true_keys;
    END LOOP;
  END IF;
  IF own.captured > 0 THEN$$::text;
  IF marked THEN
    lines := lines || $$    IF own.mark < own.last THEN
      PERFORM rowcast.put_in_order(TG_RELID, TG_ARGV[0], own.mark, own.last);
    END IF;$$::text;
  END IF;
  lines := lines || $$    IF rowcast.ring() IS NULL THEN
    END IF;
  END IF;
  RETURN NULL;
END$$::text;
  RETURN E'\n' || array_to_string(lines, E'\n') || E'\n';
END
$body$;

-- Writes the functions of one table, where they are not as they should be. They run as the owner of Rowcast, and pin every
-- setting that changes how to_jsonb writes a value, as in 003_capture.sql.
CREATE OR REPLACE FUNCTION rowcast.write_captures(relation regclass, arguments text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  operation text;
  name_ text;
  body text;
BEGIN
  FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
    name_ := rowcast.capture_name(relation, operation);
    body := rowcast.capture_body(relation, operation, arguments);
    CONTINUE WHEN EXISTS (SELECT FROM pg_proc
      WHERE pronamespace = 'rowcast'::regnamespace AND proname = name_ AND pronargs = 0 AND prosrc = body);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowcast.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp SET TimeZone = ''UTC'' SET DateStyle = ''ISO, YMD'' SET IntervalStyle = ''postgres''
      SET extra_float_digits = 1 SET bytea_output = ''hex'' SET lc_monetary = ''C'' SET jit = off AS %L', name_, body);
    EXECUTE format('REVOKE ALL ON FUNCTION rowcast.%I() FROM PUBLIC', name_);
  END LOOP;
END
$$;

-- Every trigger of Rowcast in the database: what runs a function of this schema.
CREATE OR REPLACE VIEW rowcast.triggers AS
  SELECT tgrelid::regclass AS relation, tgname AS name, tgargs AS arguments
  FROM pg_catalog.pg_trigger
  WHERE tgfoid IN (SELECT oid FROM pg_catalog.pg_proc
      WHERE pronamespace = 'rowcast'::regnamespace AND prorettype = 'trigger'::regtype)
    AND NOT tgisinternal;

-- As in 004_watch.sql.
CREATE OR REPLACE FUNCTION rowcast.needs_marks(root regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid IN (SELECT rowcast.tree(root)) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
      AND t.tgtype & 28 <> 0 AND t.tgtype & 64 = 0 -- INSERT (4), DELETE (8) or UPDATE (16), and not INSTEAD OF them (64)
      AND (t.tgtype & 2 = 0 OR (t.tgtype & 1 = 1 -- AFTER, or BEFORE (2) and FOR EACH ROW (1)
        AND p.prosrc ~* '\m(insert|update|delete|merge|select|perform|execute|call)\M'))
      AND p.pronamespace <> 'rowcast'::regnamespace
  ) OR EXISTS (
    SELECT FROM pg_constraint k
    WHERE k.conrelid IN (SELECT rowcast.tree(root)) AND k.contype = 'f'
      AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('c', 'n', 'd')) -- CASCADE, SET NULL, SET DEFAULT
  )
$$;

-- As in 004_watch.sql, with the functions of each table.
CREATE OR REPLACE FUNCTION rowcast.sync(root regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  arguments text[];
  bytes bytea;
  keys text[] := rowcast.key_columns(root);
  watched text[] := (SELECT columns FROM rowcast.watched WHERE relation = root);
  marked boolean := rowcast.needs_marks(root);
  part record;
  wanted record;
BEGIN
  SELECT ARRAY[
    rowcast.table_name(root),
    keys::text,
    coalesce(ARRAY(SELECT unnest(keys) UNION SELECT unnest(watched) ORDER BY 1)::text, ''),
    CASE WHEN EXISTS (SELECT FROM pg_attribute
      WHERE attrelid = root AND attgenerated = 'v' AND NOT attisdropped) THEN 'virtual' ELSE '' END
  ] INTO arguments;
  IF watched IS NULL THEN
    arguments[3] := '';
  END IF;
  IF marked THEN
    arguments := arguments || 'marked'::text;
  END IF;
  SELECT string_agg(convert_to(a, getdatabaseencoding()) || '\x00'::bytea, ''::bytea ORDER BY place) INTO bytes
  FROM unnest(arguments) WITH ORDINALITY AS u (a, place);
  FOR part IN
    SELECT c.oid::regclass AS relation, c.relkind, c.relispartition
    FROM rowcast.tree(root) t (relation) JOIN pg_class c ON c.oid = t.relation
  LOOP
    IF part.relkind = 'f' THEN
      RAISE NOTICE 'rowcast: % is a foreign table: what is written to it is not seen', part.relation;
      CONTINUE;
    END IF;
    PERFORM rowcast.write_captures(part.relation, arguments);
    FOR wanted IN
      SELECT *, 'STATEMENT' AS level FROM (VALUES
        ('~rowcast_mark', 'BEFORE INSERT OR UPDATE OR DELETE', '', 'mark_statement', marked),
        ('_rowcast_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows',
          rowcast.capture_name(part.relation, 'INSERT'), true),
        ('_rowcast_update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
          rowcast.capture_name(part.relation, 'UPDATE'), true),
        ('_rowcast_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows',
          rowcast.capture_name(part.relation, 'DELETE'), true),
        ('_rowcast_before_truncate', 'BEFORE TRUNCATE', '', 'capture_truncate',
          part.relkind = 'p' OR part.relispartition),
        ('_rowcast_truncate', 'AFTER TRUNCATE', '', 'capture_truncate',
          part.relkind = 'p' OR NOT part.relispartition)
      ) AS w (name, event, tables, function, needed)
      -- Never runs. Without a BEFORE INSERT trigger on the partition, a MERGE that inserts and updates has the rows it
      -- inserted in the transition table of those it updated (Postgres 18.4, tcs_original_insert_tuple).
      UNION ALL SELECT '~rowcast_merge', 'BEFORE INSERT', '', 'mark_statement',
        part.relispartition AND part.relkind = 'r', 'ROW WHEN (false)'
    LOOP
      IF wanted.needed AND NOT EXISTS (SELECT FROM pg_trigger t
        WHERE t.tgrelid = part.relation AND t.tgname = wanted.name AND t.tgargs = bytes
          AND t.tgfoid = (SELECT oid FROM pg_proc
            WHERE pronamespace = 'rowcast'::regnamespace AND proname = wanted.function AND pronargs = 0)) THEN
        EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %s %s FOR EACH %s EXECUTE FUNCTION rowcast.%I(%s)',
          wanted.name, wanted.event, part.relation, wanted.tables, wanted.level, wanted.function,
          (SELECT string_agg(quote_literal(a), ', ' ORDER BY place)
            FROM unnest(arguments) WITH ORDINALITY AS u (a, place)));
      ELSIF NOT wanted.needed AND EXISTS (SELECT FROM rowcast.triggers t
        WHERE t.relation = part.relation AND t.name = wanted.name) THEN
        EXECUTE format('DROP TRIGGER %I ON %s', wanted.name, part.relation);
      END IF;
    END LOOP;
  END LOOP;
END
$$;

-- Takes the triggers off tables that are not watched any more, and not part of one that is; then the functions that no
-- trigger runs.
CREATE OR REPLACE FUNCTION rowcast.drop_orphans() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  t record;
BEGIN
  FOR t IN
    SELECT * FROM rowcast.triggers
    WHERE relation NOT IN (SELECT w.relation FROM rowcast.watched w)
      AND coalesce(pg_partition_root(relation), relation) NOT IN (SELECT w.relation FROM rowcast.watched w)
  LOOP
    EXECUTE format('DROP TRIGGER %I ON %s', t.name, t.relation);
  END LOOP;
  FOR t IN
    SELECT proname AS name FROM pg_proc p
    WHERE pronamespace = 'rowcast'::regnamespace AND proname ~ '^capture_(insert|update|delete)_[0-9a-f]{16}$'
      AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = p.oid)
  LOOP
    EXECUTE format('DROP FUNCTION rowcast.%I()', t.name);
  END LOOP;
END
$$;

-- Every watched table. (Those that lost their key since keep what they have.)
DO $$
DECLARE
  root regclass;
BEGIN
  FOR root IN SELECT w.relation FROM rowcast.watched w JOIN pg_class c ON c.oid = w.relation
    WHERE rowcast.key_columns(w.relation) IS NOT NULL ORDER BY 1 LOOP
    PERFORM rowcast.sync(root);
  END LOOP;
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = to_regproc('rowcast.capture')) THEN
    DROP FUNCTION IF EXISTS rowcast.capture();
  END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
