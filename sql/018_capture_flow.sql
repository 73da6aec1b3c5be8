-- The function of a table goes straight through: an UPDATE of one row, the usual statement, meets six expressions instead
-- of nineteen. Each of them (an IF, an assignment, the default of a variable) costs over half a microsecond in a transaction of
-- its own, since nothing that an executor has made ready outlives a transaction; and such are what most writers commit.
--
-- What is told is that of 017_capture_bundles.sql, to the character. capture_body() is made of parts here: the terms in which
-- a table is spoken of, how one row and many are told, and what all end with.

-- In which terms a table is spoken of, as expressions: o is the row as it was, n as it is.
CREATE OR REPLACE FUNCTION rowcast.capture_terms(
  relation regclass, operation text, arguments text[],
  OUT as_written text, -- whether the table is what the function is written for
  OUT o_key text, -- the key as jsonb
  OUT n_key text,
  OUT o_data text, -- what is told of the row
  OUT n_data text,
  OUT equal text, -- whether both have one key
  OUT differ text, -- whether they differ in what is told
  OUT old text, -- the former values
  OUT o_none text, -- whether there is no such row, which the join left out
  OUT n_none text,
  OUT large text -- whether a row holds too much for a bundle
)
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  keys text[] := arguments[2];
  watched text[] := nullif(arguments[3], '');
  sides text[] := CASE operation WHEN 'INSERT' THEN '{n}' WHEN 'DELETE' THEN '{o}' ELSE '{o,n}' END; -- which there are
BEGIN
  SELECT format('TG_RELID = %s AND rowcast.is_as_written(%L::regclass, %L, %L, %L)', relation::oid, relation::oid,
      array_agg(attname ORDER BY attnum), array_agg(atttypid ORDER BY attnum), array_agg(attnum ORDER BY attnum)),
    string_agg(format('jsonb_build_object(%L, o.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_key),
    string_agg(format('jsonb_build_object(%L, n.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_key),
    CASE WHEN watched IS NULL THEN 'to_jsonb(o.*)' ELSE
      string_agg(format('jsonb_build_object(%L, o.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_told) END,
    CASE WHEN watched IS NULL THEN 'to_jsonb(n.*)' ELSE
      string_agg(format('jsonb_build_object(%L, n.%1$I)', attname), ' || ' ORDER BY attnum) FILTER (WHERE is_told) END,
    string_agg(CASE WHEN is_text THEN format('o.%1$I COLLATE "C" = n.%1$I COLLATE "C"', attname)
      WHEN rowcast.compares_exactly(atttypid) THEN format('o.%1$I = n.%1$I', attname)
      ELSE format('to_jsonb(o.%1$I) = to_jsonb(n.%1$I)', attname) END,
      ' AND ' ORDER BY attnum) FILTER (WHERE is_key),
    coalesce(string_agg(unequal, ' OR ' ORDER BY attnum) FILTER (WHERE is_told AND NOT is_key), 'false'),
    coalesce(string_agg(format('CASE WHEN %s THEN jsonb_build_object(%L, o.%2$I) ELSE ''{}'' END', unequal, attname),
      E'\n        || ' ORDER BY attnum) FILTER (WHERE is_told AND NOT is_key), 'NULL::jsonb'),
    format('o.%I IS NULL AND ROW(%s) IS NULL', keys[1], string_agg(format('o.%I', attname), ', ' ORDER BY attnum)),
    format('n.%I IS NULL AND ROW(%s) IS NULL', keys[1], string_agg(format('n.%I', attname), ', ' ORDER BY attnum)),
    coalesce(string_agg((SELECT string_agg(format('pg_column_size(%s.%I) > 2000', s, attname), ' OR ') FROM unnest(sides) s),
      ' OR ' ORDER BY attnum) FILTER (WHERE attlen < 0), 'false')
  INTO as_written, o_key, n_key, o_data, n_data, equal, differ, old, o_none, n_none, large
  FROM (
    SELECT attname, attnum, atttypid, attlen, atttypid IN ('text'::regtype, 'varchar'::regtype) AS is_text,
      rowcast.unequal(attname, atttypid) AS unequal, attname = ANY (keys) AS is_key,
      watched IS NULL OR attname = ANY (watched) AS is_told
    FROM pg_attribute WHERE attrelid = relation AND attnum > 0 AND NOT attisdropped
  ) c;
END
$$;

-- An expression that is output as the text that jsonb has for the value of a column. What is the same as json is not made
-- jsonb, nor is a float that is written without an exponent. Null for null.
CREATE OR REPLACE FUNCTION rowcast.json_text(side text, name text, type oid) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format(CASE
    WHEN type IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype, 'jsonb'::regtype) THEN '%1$s.%2$I'
    WHEN type IN ('float4'::regtype, 'float8'::regtype) THEN 'CASE WHEN %1$s.%2$I = 0 THEN ''0''
          WHEN abs(%1$s.%2$I) >= 0.0001::float8 AND abs(%1$s.%2$I) < %3$s::float8 THEN %1$s.%2$I::text ELSE to_jsonb(%1$s.%2$I)::text END'
    WHEN type IN ('bool'::regtype, 'numeric'::regtype, 'text'::regtype, 'varchar'::regtype, 'uuid'::regtype, 'date'::regtype,
        'timestamp'::regtype, 'timestamptz'::regtype)
      OR EXISTS (SELECT FROM pg_type WHERE oid = type AND typtype = 'e') THEN 'to_json(%1$s.%2$I)'
    ELSE 'to_jsonb(%1$s.%2$I)'
  END, side, name, CASE type WHEN 'float4'::regtype THEN '1e6' ELSE '1e15' END)
$$;

-- The statements of an INSERT or DELETE: a hundred rows one by one, the rest in bundles.
CREATE OR REPLACE FUNCTION rowcast.capture_rows(relation regclass, operation text, arguments text[], bundled boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  t record := rowcast.capture_terms(relation, operation, arguments);
  name_ text := quote_literal(arguments[1]);
  rows text := CASE operation WHEN 'DELETE' THEN 'old_rows' ELSE 'new_rows' END;
  side text := CASE operation WHEN 'DELETE' THEN 'o' ELSE 'n' END;
  told text := CASE operation WHEN 'DELETE' THEN t.o_key || ', ' || t.o_data ELSE t.n_key || ', ' || t.n_data END;
  rest text := format('(SELECT * FROM %s OFFSET 100) %s', rows, side);
  first text;
BEGIN
  first := format($$    own.now_ := clock_timestamp();
    INSERT INTO rowcast.changes (at, "table", operation, key, data)
    SELECT own.now_, %s, %L, %s FROM %s %s%s;
    GET DIAGNOSTICS captured = ROW_COUNT;$$, name_, operation, told, rows, side,
    CASE WHEN bundled THEN ' LIMIT 100' ELSE '' END);
  IF NOT bundled THEN
    RETURN first;
  END IF;
  RETURN first || format($$
    IF own.captured = 100 THEN
      own.bytes := 0;
      %s
      IF current_setting('rowcast.apart', true) = 'yes' AND set_config('rowcast.apart', '', true) = '' THEN
        INSERT INTO rowcast.changes (at, "table", operation, key, data)
        SELECT own.now_, %s, %L, %s FROM %s WHERE %s;
      END IF;
    END IF;$$, rowcast.bundle_loop(name_, operation, format('SELECT %s FROM %s
        WHERE CASE WHEN %s THEN set_config(''rowcast.apart'', ''yes'', true) = '''' ELSE true END',
      rowcast.bundle_line(relation, operation, (arguments[2])::text[], nullif(arguments[3], '')::text[]), rest, t.large)),
    name_, operation, told, rest, t.large);
END
$body$;

-- The statements of an UPDATE. One row, the usual case, needs no join; one whose key has changed is told as DELETE and INSERT.
-- More are paired by a FULL JOIN, as 014_capture.sql describes it: in bundles from the hundred and first on, and then one by
-- one what was left out of them (rowcast.apart). `finish` is what all ends with.
CREATE OR REPLACE FUNCTION rowcast.capture_update(relation regclass, arguments text[], bundled boolean, finish text) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  t record := rowcast.capture_terms(relation, 'UPDATE', arguments);
  name_ text := quote_literal(arguments[1]);
  marked boolean := arguments[5] IS NOT NULL;
  split boolean := (SELECT relkind = 'p' OR relispartition FROM pg_class WHERE oid = relation);
  many integer := CASE WHEN bundled THEN 101 ELSE 2 END; -- so many rows are counted
  counted text;
  one text;
  bundles text := '';
  more text;
BEGIN
  counted := format($$    PERFORM FROM new_rows LIMIT %s;
    GET DIAGNOSTICS rows = ROW_COUNT;$$, many);
  IF split THEN -- a partition may have rows on one side alone
    counted := counted || format($$
    PERFORM FROM old_rows LIMIT %s;
    GET DIAGNOSTICS old_rows_ = ROW_COUNT;
    IF own.rows <> own.old_rows_ THEN
      own.rows := 2;
    END IF;$$, many);
  END IF;
  IF marked THEN -- updates of one row within one statement
    counted := counted || $$
    IF own.rows = 2 AND EXISTS (SELECT FROM old_rows OFFSET 1)
        AND EXISTS (SELECT to_jsonb(o.*) FROM old_rows o INTERSECT SELECT to_jsonb(n.*) FROM new_rows n) THEN
      own.anew := true;
      own.rows := 0;
    END IF;$$;
  END IF;

  one := format($$      INSERT INTO rowcast.changes ("table", operation, key, data, old)
      SELECT %1$s, 'UPDATE', %3$s, %5$s,
        %6$s
      FROM old_rows o CROSS JOIN new_rows n
      WHERE %7$s AND (%8$s);
      IF FOUND THEN
%9$s
        RETURN NULL;
      END IF;
      PERFORM FROM old_rows o CROSS JOIN new_rows n WHERE (%7$s) IS NOT TRUE; -- the key changed
      IF FOUND THEN
        own.now_ := clock_timestamp();
        INSERT INTO rowcast.changes (at, "table", operation, key, data)
        SELECT own.now_, %1$s, 'DELETE', %2$s, %4$s FROM old_rows o;
        INSERT INTO rowcast.changes (at, "table", operation, key, data)
        SELECT own.now_, %1$s, 'INSERT', %3$s, %5$s FROM new_rows n;
        own.captured := 2;
      END IF;$$, name_, t.o_key, t.n_key, t.o_data, t.n_data, t.old, t.equal, t.differ, finish);

  IF bundled THEN
    bundles := format($$      IF own.rows = 101 THEN
        own.memory := current_setting('work_mem');
        PERFORM set_config('work_mem', '32MB', true) WHERE pg_size_bytes(own.memory) < 33554432; -- 100,000 rows, joined without a file
        own.bytes := 0;
      %s
        PERFORM set_config('work_mem', own.memory, true);
        own.apart := current_setting('rowcast.apart', true) = 'yes' AND set_config('rowcast.apart', '', true) = '';
      END IF;
$$, rowcast.bundle_loop(name_, 'UPDATE', format('SELECT %s
        FROM old_rows o FULL JOIN new_rows n ON %s
        WHERE CASE WHEN %s OR %s OR %s THEN set_config(''rowcast.apart'', ''yes'', true) = ''''
          ELSE %s END',
      rowcast.bundle_line(relation, 'UPDATE', (arguments[2])::text[], nullif(arguments[3], '')::text[]),
      t.equal, t.o_none, t.n_none, t.large, t.differ)));
  END IF;
  more := format($$      INSERT INTO rowcast.changes (at, "table", operation, key, data, old)
      SELECT own.now_, %1$s, CASE WHEN %2$s THEN 'DELETE' ELSE 'UPDATE' END,
        CASE WHEN %2$s THEN %4$s ELSE %3$s END,
        CASE WHEN %2$s THEN %6$s ELSE %5$s END,
        CASE WHEN %2$s THEN NULL ELSE %7$s END
      FROM old_rows o FULL JOIN new_rows n ON %8$s
      WHERE CASE WHEN %10$s THEN set_config('rowcast.key_changed', 'yes', true) = ''
        WHEN %2$s THEN true%11$s
        ELSE %9$s END;
      IF FOUND THEN
        own.captured := 1;
      END IF;
      IF current_setting('rowcast.key_changed', true) = 'yes' AND set_config('rowcast.key_changed', '', true) = '' THEN
        INSERT INTO rowcast.changes (at, "table", operation, key, data)
        SELECT own.now_, %1$s, 'INSERT', %3$s, %5$s
        FROM old_rows o FULL JOIN new_rows n ON %8$s
        WHERE %10$s;
        own.captured := 1;
      END IF;$$, name_, t.n_none, t.n_key, t.o_key, t.n_data, t.o_data, t.old, t.equal, t.differ, t.o_none,
    CASE WHEN bundled THEN format(E'\n        WHEN own.apart AND NOT (%s) THEN false', t.large) ELSE '' END);
  IF bundled THEN
    more := format(E'      IF own.rows < 101 OR own.apart THEN\n%s\n      END IF;', more);
  END IF;

  RETURN format($$%s
    IF own.rows = 1 THEN
%s
    ELSIF own.rows > 1 THEN
      own.now_ := clock_timestamp();
%s%s
    END IF;$$, counted, one, bundles, more);
END
$body$;

-- The statements that tell a table which is not as its function was written for, from the catalog (capture_sql), as in
-- 003_capture.sql: the rows may have no such key any more. A table that has lost its key is told by whole rows.
CREATE OR REPLACE FUNCTION rowcast.capture_anew(rows text, pinned boolean) RETURNS text
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $body$
  SELECT format($$    IF NOT EXISTS (SELECT FROM %s) THEN
      RETURN NULL;
    END IF;
    own.now_ := clock_timestamp();
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
    %s$$, rows, CASE WHEN pinned THEN 'own.settings := rowcast.pin();' ELSE '' END,
    CASE WHEN pinned THEN 'PERFORM rowcast.pin(own.settings);' ELSE '' END)
$body$;

-- The body of a table's function. No variable has a default but what a marked table has to note first.
CREATE OR REPLACE FUNCTION rowcast.capture_body(relation regclass, operation text, arguments text[]) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $body$
DECLARE
  is_fast boolean := rowcast.is_fast(relation, arguments);
  marked boolean := arguments[5] IS NOT NULL;
  bundled boolean := is_fast AND NOT marked; -- put_in_order() moves single changes
  split boolean := (SELECT relkind = 'p' OR relispartition FROM pg_class WHERE oid = relation);
  finish text;
  anew text;
BEGIN
  finish := $$    IF pg_try_advisory_lock_shared(32210705904137076) THEN -- rowcast.ring()
      IF pg_advisory_unlock_shared(32210705904137076) AND pg_notify('rowcast_changes', '') IS NULL THEN
      END IF;
    END IF;$$;
  IF marked THEN
    finish := $$    IF own.mark < own.last THEN
      PERFORM rowcast.put_in_order(TG_RELID, TG_ARGV[0], own.mark, own.last);
    END IF;
$$ || finish;
  END IF;
  anew := rowcast.capture_anew(CASE WHEN operation = 'UPDATE' AND split
      THEN '(SELECT true AS x FROM old_rows UNION ALL SELECT true FROM new_rows) rows'
    WHEN operation = 'DELETE' THEN 'old_rows' ELSE 'new_rows' END, is_fast);
  RETURN format($$
#variable_conflict use_column
<<own>>
DECLARE
  now_ timestamptz;
  rows bigint;
  old_rows_ bigint;
  captured bigint;
  line text;
  lines text[];
  bytes integer;
  apart boolean;
  memory text;
  anew boolean;
  keys text[];
  watched text[];
  true_keys text[];
  settings text[];
%sBEGIN
%s
  IF own.captured > 0 THEN
%s
  END IF;
  RETURN NULL;
END
$$, CASE WHEN marked THEN $$  mark bigint := rowcast.take_mark(TG_RELID, TG_OP);
  last bigint := coalesce(pg_sequence_last_value('rowcast.changes_id_seq'), 0);
$$ ELSE '' END,
    CASE WHEN NOT is_fast THEN anew
      ELSE format(CASE WHEN marked THEN $$  IF %s THEN
%s
  ELSE
    own.anew := true;
  END IF;
  IF own.anew THEN
%s
  END IF;$$ ELSE $$  IF %s THEN
%s
  ELSE
%s
  END IF;$$ END, (rowcast.capture_terms(relation, operation, arguments)).as_written,
        CASE operation WHEN 'UPDATE' THEN rowcast.capture_update(relation, arguments, bundled, finish)
          ELSE rowcast.capture_rows(relation, operation, arguments, bundled) END, anew) END,
    finish);
END
$body$;

-- The functions of every watched table, in this form.
SELECT rowcast.sync_all();

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
