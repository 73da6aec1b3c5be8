-- Which tables are watched: rowcast.watch(), rowcast.unwatch(), and the event trigger that follows their DDL.

-- A table's name as SQL writes it with only `public` in the search path.
CREATE OR REPLACE FUNCTION rowcast.table_name(target regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = target
$$;

-- A table with its partitions at any depth.
-- From the root down, which is how statements lock them.
CREATE OR REPLACE FUNCTION rowcast.tree(root regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT relation FROM (SELECT root, 0 UNION SELECT relid, level FROM pg_partition_tree(root)) t (relation, level)
  ORDER BY level, relation
$$;

-- Every trigger of Rowcast in the database. The arguments are as pg_trigger keeps them: bytes, each ended by a zero.
CREATE OR REPLACE VIEW rowcast.triggers AS
  SELECT tgrelid::regclass AS relation, tgname AS name, tgargs AS arguments
  FROM pg_catalog.pg_trigger
  WHERE tgfoid IN ('rowcast.capture'::regproc, 'rowcast.capture_truncate'::regproc, 'rowcast.mark_statement'::regproc)
    AND NOT tgisinternal;

-- Whether one statement may change a row of the table, or of a partition of it, more than once: by AFTER triggers of
-- users, which run before Rowcast's own have told what the statement did (FOR EACH ROW always, FOR EACH STATEMENT by
-- name); by BEFORE triggers FOR EACH ROW with a word in them without which nothing is written; or by foreign keys that
-- update the rows that refer to others.
CREATE OR REPLACE FUNCTION rowcast.needs_marks(root regclass) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid
    WHERE t.tgrelid IN (SELECT rowcast.tree(root)) AND NOT t.tgisinternal AND t.tgenabled <> 'D'
      AND t.tgtype & 28 <> 0 AND t.tgtype & 64 = 0 -- INSERT (4), DELETE (8) or UPDATE (16), and not INSTEAD OF them (64)
      AND (t.tgtype & 2 = 0 OR (t.tgtype & 1 = 1 -- AFTER, or BEFORE (2) and FOR EACH ROW (1)
        AND p.prosrc ~* '\m(insert|update|delete|merge|select|perform|execute|call)\M'))
      AND t.tgfoid NOT IN ('rowcast.capture'::regproc, 'rowcast.capture_truncate'::regproc, 'rowcast.mark_statement'::regproc)
  ) OR EXISTS (
    SELECT FROM pg_constraint k
    WHERE k.conrelid IN (SELECT rowcast.tree(root)) AND k.contype = 'f'
      AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('c', 'n', 'd')) -- CASCADE, SET NULL, SET DEFAULT
  )
$$;

-- Brings the triggers of a watched table and its partitions to what the catalog says now. Touches (and locks) only the
-- tables where something differs, so that running it again costs nothing.
-- Triggers of one event fire in the order of their names: with `_` in front, ours run before those that users write in
-- small letters. With `~`, the mark is made after whatever other triggers do before the statement begins.
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
    FOR wanted IN
      SELECT *, 'STATEMENT' AS level FROM (VALUES
        ('~rowcast_mark', 'BEFORE INSERT OR UPDATE OR DELETE', '', 'mark_statement', marked),
        ('_rowcast_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows', 'capture', true),
        ('_rowcast_update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', 'capture', true),
        ('_rowcast_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows', 'capture', true),
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
      IF wanted.needed AND NOT EXISTS (SELECT FROM rowcast.triggers t
        WHERE t.relation = part.relation AND t.name = wanted.name AND t.arguments = bytes) THEN
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

-- Takes the triggers off tables that are not watched any more, and not part of one that is.
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
END
$$;

-- From now on the committed changes of `target` go to the outbox: all columns, or the key and those in `columns`.
-- Call it again to change the columns, or after DDL where no event trigger may be made. It locks the table against
-- writers for a moment. Needs a primary key, which is what tells rows apart.
CREATE OR REPLACE FUNCTION rowcast.watch(target regclass, columns text[] DEFAULT NULL) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name_ text := rowcast.table_name(target);
  table_ pg_class := (SELECT c FROM pg_class c WHERE c.oid = target);
  unknown text;
BEGIN
  IF table_.oid IS NULL THEN
    RAISE 'rowcast.watch: there is no such table' USING ERRCODE = 'undefined_table';
  ELSIF table_.relkind NOT IN ('r', 'p') THEN
    RAISE '% is %, and only tables can be watched', name_,
      CASE table_.relkind WHEN 'v' THEN 'a view' WHEN 'm' THEN 'a materialized view' WHEN 'f' THEN 'a foreign table'
        ELSE 'not a table' END
    USING ERRCODE = 'wrong_object_type', HINT = 'Watch the tables that its rows come from.';
  ELSIF table_.relnamespace = 'rowcast'::regnamespace
      AND table_.relname NOT IN ('changes', 'identity', 'watched', 'idempotency_keys') THEN
    RAISE '% lies in the schema of Rowcast itself, where nothing is watched', name_ USING ERRCODE = 'wrong_object_type',
      HINT = format('A role that is called rowcast creates its tables there, as "$user" is first in its search_path. '
        'ALTER TABLE %s SET SCHEMA public; and for the next ones: ALTER ROLE rowcast IN DATABASE %I SET search_path = public;',
        name_, current_database());
  ELSIF table_.relnamespace::regnamespace::text IN ('rowcast', 'rowcast_migrations', 'pg_catalog', 'pg_toast', 'information_schema') THEN
    RAISE '% cannot be watched: it belongs to Rowcast or to Postgres itself', name_ USING ERRCODE = 'wrong_object_type';
  ELSIF table_.relpersistence = 't' THEN
    RAISE '% cannot be watched: nobody else can see a temporary table', name_ USING ERRCODE = 'wrong_object_type';
  ELSIF table_.relispartition THEN
    RAISE '% is a partition', name_ USING ERRCODE = 'wrong_object_type',
      HINT = format('SELECT rowcast.watch(%L) watches the whole table.', rowcast.table_name(pg_partition_root(target)));
  ELSIF rowcast.key_columns(target) IS NULL THEN
    RAISE '% has no primary key, so its rows cannot be told apart', name_
    USING ERRCODE = 'object_not_in_prerequisite_state', HINT = format('Give it one: ALTER TABLE %s ADD PRIMARY KEY (...)', name_);
  END IF;
  SELECT string_agg(quote_ident(c), ', ') INTO unknown FROM unnest(columns) c
  WHERE c IS NULL OR NOT EXISTS (SELECT FROM pg_attribute
    WHERE attrelid = target AND attname = c AND attnum > 0 AND NOT attisdropped);
  IF unknown IS NOT NULL THEN
    RAISE '% has no column %', name_, unknown USING ERRCODE = 'undefined_column';
  END IF;
  DELETE FROM rowcast.watched WHERE NOT EXISTS (SELECT FROM pg_class WHERE oid = relation);
  INSERT INTO rowcast.watched AS w VALUES (target, columns)
  ON CONFLICT (relation) DO UPDATE SET columns = excluded.columns WHERE w.columns IS DISTINCT FROM excluded.columns;
  PERFORM rowcast.sync(target);
END
$$;

-- Takes Rowcast off a table. What is in the outbox is still delivered. Does nothing when the table is not watched.
CREATE OR REPLACE FUNCTION rowcast.unwatch(target regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  DELETE FROM rowcast.watched WHERE relation = target;
  PERFORM rowcast.drop_orphans();
END
$$;

-- After CREATE TABLE, ALTER TABLE and CREATE TRIGGER: new partitions get the triggers, detached ones lose them, renamed
-- tables, columns and keys get into the arguments, and tables with triggers of users get marks. (A user's trigger that is
-- dropped leaves them until the next time: they only cost.) Whatever happens here, it must not make the DDL fail.
--
-- A trigger on one partition has all of them marked. Waiting for the root while the partition is locked can be a
-- deadlock with a writer: who gives up, long before deadlock_timeout could pick the writer, is this function.
CREATE OR REPLACE FUNCTION rowcast.follow_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '400ms' AS $$
DECLARE
  root regclass;
  found_ boolean := false;
BEGIN
  FOR root IN
    SELECT DISTINCT w.relation
    FROM pg_event_trigger_ddl_commands() d
    LEFT JOIN pg_trigger t ON d.classid = 'pg_trigger'::regclass AND t.oid = d.objid
      AND NOT EXISTS (SELECT FROM rowcast.triggers own WHERE own.relation = t.tgrelid AND own.name = t.tgname)
    CROSS JOIN LATERAL (SELECT CASE d.classid WHEN 'pg_class'::regclass THEN d.objid ELSE t.tgrelid END) changed (relation)
    JOIN rowcast.watched w ON w.relation IN (changed.relation, pg_partition_root(changed.relation))
    JOIN pg_class c ON c.oid = w.relation
    WHERE NOT c.relispartition
      AND rowcast.key_columns(w.relation) IS NOT NULL
  LOOP
    found_ := true;
    PERFORM rowcast.sync(root);
  END LOOP;
  IF found_ THEN
    PERFORM rowcast.drop_orphans();
  END IF;
EXCEPTION WHEN OTHERS THEN
  RAISE WARNING 'rowcast could not follow this change of a watched table: %', SQLERRM
  USING HINT = format('SELECT rowcast.watch(%L) as its owner.', coalesce(root::text, 'the table'));
END
$$;

-- Only superusers (and the owners of databases at some hosts) may make event triggers. Without: watch() again after DDL.
DO $$
BEGIN
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'rowcast_follow_ddl' AND 'CREATE TRIGGER' = ANY (evttags)) THEN
    DROP EVENT TRIGGER IF EXISTS rowcast_follow_ddl;
    CREATE EVENT TRIGGER rowcast_follow_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE', 'CREATE TRIGGER')
      EXECUTE FUNCTION rowcast.follow_ddl();
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'rowcast: no right to make an event trigger: call rowcast.watch() again when a partition is added, a key changes or a table gets a trigger';
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
