-- Which tables are watched: rowcast.watch(), rowcast.unwatch(), and the event trigger that follows their DDL.

-- A table's name as SQL writes it with only `public` in the search path.
CREATE OR REPLACE FUNCTION rowcast.table_name(target regclass) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN n.nspname = 'public' THEN '' ELSE quote_ident(n.nspname) || '.' END || quote_ident(c.relname)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  WHERE c.oid = target
$$;

-- A table with its partitions at any depth.
CREATE OR REPLACE FUNCTION rowcast.tree(root regclass) RETURNS SETOF regclass
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT root UNION SELECT relid FROM pg_partition_tree(root)
$$;

-- Every trigger of Rowcast in the database. The arguments are as pg_trigger keeps them: bytes, each ended by a zero.
CREATE OR REPLACE VIEW rowcast.triggers AS
  SELECT tgrelid::regclass AS relation, tgname AS name, tgargs AS arguments
  FROM pg_catalog.pg_trigger
  WHERE tgfoid IN ('rowcast.capture'::regproc, 'rowcast.capture_truncate'::regproc) AND NOT tgisinternal;

-- Brings the triggers of a watched table and its partitions to what the catalog says now. Touches (and locks) only the
-- tables where something differs, so that running it again costs nothing.
-- Triggers of one event fire in the order of their names: with `_` in front, ours run before those that users write in
-- small letters, whose own writes to the same table must come behind in the outbox.
CREATE OR REPLACE FUNCTION rowcast.sync(root regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  arguments text[];
  bytes bytea;
  keys text[] := rowcast.key_columns(root);
  watched text[] := (SELECT columns FROM rowcast.watched WHERE relation = root);
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
      SELECT * FROM (VALUES
        ('_rowcast_insert', 'AFTER INSERT', 'REFERENCING NEW TABLE AS new_rows', 'capture', true),
        ('_rowcast_update', 'AFTER UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows', 'capture', true),
        ('_rowcast_delete', 'AFTER DELETE', 'REFERENCING OLD TABLE AS old_rows', 'capture', true),
        ('_rowcast_before_truncate', 'BEFORE TRUNCATE', '', 'capture_truncate',
          part.relkind = 'p' OR part.relispartition),
        ('_rowcast_truncate', 'AFTER TRUNCATE', '', 'capture_truncate',
          part.relkind = 'p' OR NOT part.relispartition)
      ) AS w (name, event, tables, function, needed)
    LOOP
      IF wanted.needed AND NOT EXISTS (SELECT FROM rowcast.triggers t
        WHERE t.relation = part.relation AND t.name = wanted.name AND t.arguments = bytes) THEN
        EXECUTE format('CREATE OR REPLACE TRIGGER %I %s ON %s %s FOR EACH STATEMENT EXECUTE FUNCTION rowcast.%I(%s)',
          wanted.name, wanted.event, part.relation, wanted.tables, wanted.function,
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

-- After CREATE TABLE and ALTER TABLE: new partitions get the triggers, detached ones lose them, and renamed tables,
-- columns and keys get into the arguments. Whatever happens here, it must not make the DDL fail.
CREATE OR REPLACE FUNCTION rowcast.follow_ddl() RETURNS event_trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  root regclass;
  found_ boolean := false;
BEGIN
  FOR root IN
    SELECT DISTINCT w.relation
    FROM pg_event_trigger_ddl_commands() d
    JOIN rowcast.watched w ON w.relation IN (d.objid, pg_partition_root(d.objid))
    JOIN pg_class c ON c.oid = w.relation
    WHERE d.classid = 'pg_class'::regclass AND NOT c.relispartition
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
  IF NOT EXISTS (SELECT FROM pg_event_trigger WHERE evtname = 'rowcast_follow_ddl') THEN
    CREATE EVENT TRIGGER rowcast_follow_ddl ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'ALTER TABLE')
      EXECUTE FUNCTION rowcast.follow_ddl();
  END IF;
EXCEPTION WHEN insufficient_privilege THEN
  RAISE NOTICE 'rowcast: no right to make an event trigger: call rowcast.watch() again when a partition is added or a key changes';
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
