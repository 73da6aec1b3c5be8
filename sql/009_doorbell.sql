-- The doorbell that stays silent under load.
--
-- NOTIFY serialises the commits of the whole cluster, so it is worth its price only for a listener that waits. One that
-- drains under load looks by itself every few milliseconds; meanwhile it holds an advisory lock of its session, and
-- writers who meet that lock do not ring.
--
-- Writers try the shared form and let go of it at once. (Held to the end of the transaction, some writer would always
-- hold it under load, and the listener would never get it.) So a writer that met the lock may commit, unheard, after the
-- lock has gone: who lets go of it, or finds it free after somebody else held it, goes on looking until every
-- transaction that was under way at that moment has ended (listener/silence.ts).

-- "rowcast" in ASCII.
CREATE OR REPLACE FUNCTION rowcast.doorbell_lock() RETURNS bigint
LANGUAGE sql IMMUTABLE AS $$ SELECT 32210705904137076 $$;

CREATE OR REPLACE FUNCTION rowcast.ring() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF pg_try_advisory_lock_shared(rowcast.doorbell_lock()) THEN
    PERFORM pg_advisory_unlock_shared(rowcast.doorbell_lock());
    PERFORM pg_notify('rowcast_changes', '');
  END IF;
END
$$;

-- Silences the doorbell for as long as this session lives or until it unlocks; false when somebody else holds the lock.
-- Other listeners are told, so that they look by themselves too: the holder's death would ring nobody.
CREATE OR REPLACE FUNCTION rowcast.silence() RETURNS boolean
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  IF NOT pg_try_advisory_lock(rowcast.doorbell_lock()) THEN
    RETURN false;
  END IF;
  PERFORM pg_notify('rowcast_changes', 'silent');
  RETURN true;
END
$$;

-- Whether another session keeps the doorbell silent.
CREATE OR REPLACE FUNCTION rowcast.is_silent() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp AS $$
  SELECT EXISTS (
    SELECT FROM pg_locks
    WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND classid = (rowcast.doorbell_lock() >> 32)::oid
      AND objid = (rowcast.doorbell_lock() & 4294967295)::oid AND objsubid = 1
  )
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
