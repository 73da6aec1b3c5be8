-- Two roles with what each needs and nothing else: rowcast_api for the Worker, rowcast_listener for the listener. They
-- cannot log in until `npm run roles` gives them passwords. Roles belong to the whole cluster, so another database may have
-- made them already; where roles may not be created, Rowcast works with whatever login it is given.
DO $$
DECLARE
  role_name text;
BEGIN
  FOREACH role_name IN ARRAY ARRAY['rowcast_api', 'rowcast_listener'] LOOP
    BEGIN
      EXECUTE format('CREATE ROLE %I NOLOGIN', role_name);
    EXCEPTION
      WHEN duplicate_object OR unique_violation THEN NULL; -- there already, or made this moment from another database
      WHEN insufficient_privilege THEN
        RAISE NOTICE 'rowcast: no right to create the role %; see docs on roles', role_name;
    END;
  END LOOP;

  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_api') THEN
    GRANT USAGE ON SCHEMA rowcast TO rowcast_api;
    GRANT SELECT, INSERT, UPDATE, DELETE ON public.orders TO rowcast_api;
    GRANT SELECT, INSERT ON rowcast.idempotency_keys TO rowcast_api;
    GRANT EXECUTE ON FUNCTION rowcast.row_json(anyelement) TO rowcast_api;
    -- The ChangeLog reads the outbox itself when no listener is heard. These read; nothing here writes it.
    GRANT EXECUTE ON FUNCTION rowcast.source(),
      rowcast.check_history(text, text, bigint, xid8, timestamptz),
      rowcast.read(text, integer, integer) TO rowcast_api;
  END IF;

  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rowcast_listener') THEN
    GRANT USAGE ON SCHEMA rowcast TO rowcast_listener;
    GRANT EXECUTE ON FUNCTION rowcast.source(),
      rowcast.check_history(text, text, bigint, xid8, timestamptz),
      rowcast.read(text, integer, integer),
      rowcast.prune(text, bigint, interval, integer),
      rowcast.doorbell_lock(), rowcast.silence(), rowcast.is_silent() TO rowcast_listener;
  END IF;
END
$$;
