-- Capture that costs a writer less: for each watched table, and each partition, three functions that are written for it
-- (INSERT, UPDATE, DELETE), instead of one for all of them (003_capture.sql).
--
-- Such a function knows the columns by name and type: plans are kept, rows are paired by their typed keys instead of by
-- jsonb, compared column by column, and turned into jsonb once. What is told is the same to the character.
--
-- It must never make a writer's statement fail, also when the table was altered and no event trigger could follow. So it
-- first asks whether the table is still the one that it was written for, which costs nothing (is_as_written). Where it is
-- not, capture_sql() writes the statement anew, from the catalog: right, and ten times slower until the next watch().
--
-- An UPDATE of one row of six columns takes 35 microseconds instead of 8, an INSERT 18 instead of 4, an UPDATE that changes
-- nothing 24 instead of 7, one of no row 8 instead of 3.

-- Rings the doorbell (009_doorbell.sql). No setting is pinned, which would cost more than all the rest: every name is
-- qualified, and there is no operator. The functions below do the same in their own bodies: a call is half a microsecond.
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

-- Whether a table has the columns that a function was written for: these names, types and numbers, and no others. (The
-- numbers tell a column from one that took the place of it, which may be a virtual one.)
--
-- Not immutable at all, and called so on purpose. With constants as arguments the planner computes it, once, and the answer
-- is part of the plan that plpgsql keeps of the expression. A constant of type regclass (or oid: TG_RELID = ...) makes that
-- plan depend on the table (setrefs.c, ISREGCLASSCONST): whatever alters the table, in this session or another, has it made
-- anew before its next use. A writer holds a lock on the table while its triggers run, so nothing is altered in between.
--
-- Asked is the parser, which knows the table as it is. pg_attribute would be read in the snapshot of the writer, which in
-- a transaction of REPEATABLE READ may be from before an ALTER TABLE that its statement already follows. Whatever fails
-- here (there is no such column, table or right) is an answer too.
CREATE OR REPLACE FUNCTION rowcast.is_as_written(relation regclass, names text[], types oid[], numbers int2[]) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  conditions text := '';
  whole text; -- a row of nulls: its text tells whether there are other columns
  answer boolean;
BEGIN
  FOR i IN 1 .. cardinality(names) LOOP
    IF has_column_privilege(relation, numbers[i], 'SELECT') IS NULL THEN -- which asks no snapshot either
      RETURN false;
    END IF;
    conditions := conditions || format('pg_typeof(r.%I) = %L AND ', names[i], types[i]);
    whole := concat_ws(',', whole, to_json(names[i]) || ':null');
  END LOOP;
  EXECUTE 'SELECT ' || conditions || 'row_to_json(r.*)::text = $1 FROM jsonb_populate_record(NULL::' || relation || ', NULL) r'
    INTO answer USING '{' || whole || '}';
  RETURN answer;
EXCEPTION WHEN OTHERS THEN
  RETURN false;
END
$$;

-- The settings that a type shows in when to_jsonb writes it, as pg_proc.proconfig has them; what is not known to be plain
-- may show in all of them. (Dates and timestamps are ISO in jsonb whatever DateStyle is.)
CREATE OR REPLACE FUNCTION rowcast.settings_of(type oid) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE
    WHEN type IN ('bool'::regtype, 'int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'oid'::regtype, 'numeric'::regtype,
        'text'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'uuid'::regtype, 'json'::regtype, 'jsonb'::regtype,
        'date'::regtype, 'time'::regtype, 'timestamp'::regtype, 'inet'::regtype, 'cidr'::regtype)
      OR EXISTS (SELECT FROM pg_type WHERE oid = type AND typtype = 'e') THEN '{}'
    WHEN type = 'timestamptz'::regtype THEN '{TimeZone=UTC}'
    WHEN type = 'interval'::regtype THEN '{IntervalStyle=postgres}'
    WHEN type IN ('float4'::regtype, 'float8'::regtype) THEN '{extra_float_digits=1}'
    WHEN type = 'bytea'::regtype THEN '{bytea_output=hex}'
    WHEN type = 'money'::regtype THEN '{lc_monetary=C}'
    ELSE '{TimeZone=UTC,"DateStyle=ISO, YMD",IntervalStyle=postgres,extra_float_digits=1,bytea_output=hex,lc_monetary=C}'
  END::text[]
$$;

-- Whether a table can be told in the fast way: no virtual columns, not too many columns to write out, and its key is there.
-- (`arguments` as below.)
CREATE OR REPLACE FUNCTION rowcast.is_fast(relation regclass, arguments text[]) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT arguments[4] = '' AND count(*) <= 100
    AND count(*) FILTER (WHERE attname = ANY (arguments[2]::text[])) = cardinality(arguments[2]::text[])
  FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
$$;

-- Those that the functions of a table pin; each costs half a microsecond.
CREATE OR REPLACE FUNCTION rowcast.capture_settings(relation regclass, arguments text[]) RETURNS text[]
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(array_agg(DISTINCT setting ORDER BY setting), '{}')
  FROM pg_attribute a
  CROSS JOIN LATERAL unnest(rowcast.settings_of(CASE WHEN rowcast.is_fast(relation, arguments) THEN a.atttypid END)) setting
  WHERE a.attrelid = relation AND a.attnum > 0 AND NOT a.attisdropped
    AND (arguments[3] = '' OR a.attname = ANY (arguments[3]::text[]))
$$;

-- Sets all of them, until the transaction ends, and returns what they were: who called gives that back in the same way.
-- For a table that was altered, and may have any type.
CREATE OR REPLACE FUNCTION rowcast.pin(settings text[] DEFAULT '{UTC,"ISO, YMD",postgres,1,hex,C}') RETURNS text[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  names CONSTANT text[] := '{TimeZone,DateStyle,IntervalStyle,extra_float_digits,bytea_output,lc_monetary}';
  former text[];
BEGIN
  FOR i IN 1 .. cardinality(names) LOOP
    former[i] := current_setting(names[i]);
    PERFORM set_config(names[i], settings[i], true);
  END LOOP;
  RETURN former;
END
$$;

-- The body of that function. `arguments` are those of the triggers, as 003_capture.sql describes them.
--
-- The table's oid is in it: where the function runs for another one (tables that swapped their names, a dump that was
-- loaded), it tells in the slow way until the next watch(). The first IF is a plain expression, its answer part of the plan.
--
-- UPDATE: one row, the usual case, needs no join. More are paired by a FULL JOIN, which can never be planned as nested
-- loops (the plan is kept, also if it was made for a few rows). Where keys changed, what has no partner is told as DELETE
-- or INSERT, and these come last: not by a sort of everything, but in a second statement, which a note asks for. PERFORM
-- is the cheapest way to ask whether there are no rows (of an upsert, say), one or more: 1.5 microseconds, where an EXISTS
-- takes 3, and 4 within the INSERT. Partitions may have rows on one side alone, so there both are asked.
CREATE OR REPLACE FUNCTION rowcast.capture_body(relation regclass, operation text, arguments text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  name_ text := quote_literal(arguments[1]);
  keys text[] := arguments[2];
  watched text[] := nullif(arguments[3], '');
  marked boolean := arguments[5] IS NOT NULL;
  split boolean := (SELECT relkind = 'p' OR relispartition FROM pg_class WHERE oid = relation);
  side text := CASE operation WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
  is_fast boolean := rowcast.is_fast(relation, arguments);
  as_written text; -- whether the table is what the function is written for
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
  first_key := quote_ident(keys[1]);

  SELECT format('TG_RELID = %s AND rowcast.is_as_written(%L::regclass, %L, %L, %L)', relation::oid, relation::oid,
      array_agg(attname ORDER BY attnum), array_agg(atttypid ORDER BY attnum), array_agg(attnum ORDER BY attnum)),
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
  INTO as_written, o_key, n_key, o_data, n_data, equal, differ, old
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
    '  fits boolean := false;', '  rows bigint := 0; -- 2: two or more', '  captured bigint := 0;', '  keys text[];',
    '  watched text[];', '  true_keys text[];', '  settings text[];'];
  IF split THEN
    lines := lines || '  old_rows_ bigint;'::text;
  END IF;
  IF marked THEN
    lines := lines || $$  mark bigint := rowcast.take_mark(TG_RELID, TG_OP);
  last bigint := coalesce(pg_sequence_last_value('rowcast.changes_id_seq'), 0);$$::text;
  END IF;
  lines := lines || 'BEGIN'::text;

  IF is_fast THEN
    lines := lines || format($$  IF %s THEN
    own.fits := true;$$, as_written);
    IF operation = 'UPDATE' THEN
      lines := lines || $$    PERFORM FROM new_rows LIMIT 2;
    GET DIAGNOSTICS rows = ROW_COUNT;$$::text;
      IF split THEN
        lines := lines || $$    PERFORM FROM old_rows LIMIT 2;
    GET DIAGNOSTICS old_rows_ = ROW_COUNT;
    IF own.rows <> own.old_rows_ THEN
      own.rows := 2;
    END IF;$$::text;
      END IF;
      IF marked THEN -- updates of one row within one statement
        lines := lines || $$    IF own.rows = 2 THEN
      own.fits := NOT (EXISTS (SELECT FROM old_rows OFFSET 1)
        AND EXISTS (SELECT to_jsonb(o.*) FROM old_rows o INTERSECT SELECT to_jsonb(n.*) FROM new_rows n));
    END IF;$$::text;
      END IF;
    END IF;
    lines := lines || '  END IF;'::text;
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
    lines := lines || format($$  IF own.rows = 1 AND own.fits THEN
    INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
    SELECT own.now_, %s, 'UPDATE', %s, %s,
      %s
    FROM old_rows o CROSS JOIN new_rows n
    WHERE %s AND (%s);
    GET DIAGNOSTICS captured = ROW_COUNT;
    IF own.captured = 0 THEN
      PERFORM FROM old_rows o CROSS JOIN new_rows n WHERE (%5$s) IS NOT TRUE; -- the key changed
      IF FOUND THEN
        own.rows := 2;
      END IF;
    END IF;
  END IF;$$, name_, n_key, n_data, old, equal, differ);
    lines := lines || format($$  IF own.rows = 2 AND own.fits THEN
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
  lines := lines || format($$  IF NOT own.fits THEN
    IF NOT EXISTS (SELECT FROM %s) THEN
      RETURN NULL;
    END IF;
    own.keys := TG_ARGV[1];
    own.watched := nullif(TG_ARGV[2], '');
    %s
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
    %s
  END IF;
  IF own.captured > 0 THEN$$, CASE WHEN operation = 'UPDATE' AND split THEN
      '(SELECT true AS x FROM old_rows UNION ALL SELECT true FROM new_rows) rows' ELSE side END,
    CASE WHEN is_fast THEN 'own.settings := rowcast.pin();' ELSE '' END,
    CASE WHEN is_fast THEN 'PERFORM rowcast.pin(own.settings);' ELSE '' END);
  IF marked THEN
    lines := lines || $$    IF own.mark < own.last THEN
      PERFORM rowcast.put_in_order(TG_RELID, TG_ARGV[0], own.mark, own.last);
    END IF;$$::text;
  END IF;
  lines := lines || $$    IF pg_try_advisory_lock_shared(32210705904137076) THEN -- rowcast.ring()
      IF pg_advisory_unlock_shared(32210705904137076) AND pg_notify('rowcast_changes', '') IS NULL THEN
      END IF;
    END IF;
  END IF;
  RETURN NULL;
END$$::text;
  RETURN E'\n' || array_to_string(lines, E'\n') || E'\n';
END
$body$;

-- Writes the functions of one table, where they are not as they should be. They run as the owner of Rowcast, and pin the
-- settings that change how to_jsonb writes its values.
CREATE OR REPLACE FUNCTION rowcast.write_captures(relation regclass, arguments text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  operation text;
  name_ text;
  body text;
  pinned text[] := rowcast.capture_settings(relation, arguments);
BEGIN
  FOREACH operation IN ARRAY ARRAY['INSERT', 'UPDATE', 'DELETE'] LOOP
    name_ := rowcast.capture_name(relation, operation);
    body := rowcast.capture_body(relation, operation, arguments);
    CONTINUE WHEN EXISTS (SELECT FROM pg_proc
      WHERE pronamespace = 'rowcast'::regnamespace AND proname = name_ AND pronargs = 0 AND prosrc = body
        AND proconfig = ARRAY['search_path=pg_catalog, pg_temp', 'jit=off'] || pinned);
    EXECUTE format('CREATE OR REPLACE FUNCTION rowcast.%I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
      SET search_path = pg_catalog, pg_temp SET jit = off %s AS %L', name_,
      (SELECT string_agg(format('SET %s = %L', split_part(p, '=', 1), split_part(p, '=', 2)), ' ' ORDER BY place)
        FROM unnest(pinned) WITH ORDINALITY AS u (p, place)), body);
    EXECUTE format('REVOKE ALL ON FUNCTION rowcast.%I() FROM PUBLIC', name_);
  END LOOP;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
