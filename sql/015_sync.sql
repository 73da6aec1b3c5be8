-- The triggers that run the functions of 014_capture.sql: which there are, which a table needs, and how it gets them.

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

-- Every watched table: also after a dump was loaded. (Those that lost their key since keep what they have.)
CREATE OR REPLACE FUNCTION rowcast.sync_all() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass;
BEGIN
  FOR root IN SELECT w.relation FROM rowcast.watched w JOIN pg_class c ON c.oid = w.relation
    WHERE rowcast.key_columns(w.relation) IS NOT NULL ORDER BY 1 LOOP
    PERFORM rowcast.sync(root);
  END LOOP;
END
$$;

DO $$
BEGIN
  PERFORM rowcast.sync_all();
  IF NOT EXISTS (SELECT FROM pg_trigger WHERE tgfoid = to_regproc('rowcast.capture')) THEN
    DROP FUNCTION IF EXISTS rowcast.capture();
  END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
