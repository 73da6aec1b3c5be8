-- Statements within statements: the order of one row's changes when triggers of users write to the watched table.
--
-- A statement is captured when it has ended, and a user's AFTER ... FOR EACH ROW trigger runs its own statements before
-- that: what these did to a row would be told before what the outer statement did to it. So the outer statement's
-- capture puts changes that came too early behind its own, where their rows are the same.
--
-- Too early or not, the changes say: each carries the row before and after. Most of what happens within a statement
-- happens after it has written the row, but a BEFORE trigger may have deleted a former one to make room.

-- Which of `keys` rows of `target` have now. Null when that cannot be read (no right on the table, row security, an
-- equality operator outside pg_catalog): the writer must not fail for it.
CREATE OR REPLACE FUNCTION rowcast.present(target regclass, keys jsonb[]) RETURNS jsonb[]
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET row_security = off
SET enable_seqscan = off -- by the primary key, however many keys
SET enable_hashjoin = off
SET enable_mergejoin = off
AS $$
DECLARE
  columns text;
  equal text;
  found_ jsonb[];
BEGIN
  SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', '),
    string_agg(format('r.%I = v.%1$I', attname), ' AND ')
  INTO columns, equal
  FROM pg_attribute WHERE attrelid = target AND attname = ANY (rowcast.key_columns(target));
  EXECUTE format('SELECT coalesce(array_agg(k), ''{}'') FROM unnest($1) k
    WHERE EXISTS (SELECT FROM jsonb_to_record(k) AS v (%s) JOIN %s r ON %s)', columns, target, equal)
  INTO found_ USING keys;
  RETURN found_;
EXCEPTION WHEN OTHERS THEN
  RETURN NULL;
END
$$;

-- Called by capture() when it has told what a statement did to a marked table: its own changes are those behind `last`,
-- those between `mark` and `last` were told while it was under way. Where such a change continues from the row as the
-- statement left it, and what came before it leads to the row as the statement found it, it goes behind with all that
-- followed for this row: the same content under new ids, taken under the same row locks. Else it stays.
--
-- Only a circle fits at both ends: x became y, and y became x. An UPDATE or DELETE was then first, for Postgres refuses
-- one of a row that was changed within the same statement. After an INSERT and a DELETE, the table knows which was last.
CREATE OR REPLACE FUNCTION rowcast.put_in_order(relation oid, name_ text, mark bigint, last bigint) RETURNS void
LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off
SET enable_nestloop = off -- the plan is kept: one that was made for a row also runs for 100,000
SET jit = off
AS $$
DECLARE
  own xid8 := pg_current_xact_id();
  late bigint[];
  doubtful bigint[];
  doubtful_keys jsonb[];
  here jsonb[];
BEGIN
  IF NOT EXISTS (SELECT FROM rowcast.changes c
    WHERE c.xid = own AND c.id > mark AND c.id <= last AND c."table" = name_) THEN
    RETURN;
  END IF;
  WITH told AS (
    SELECT c.id, c.key, c.operation,
      CASE c.operation WHEN 'UPDATE' THEN c.data || c.old WHEN 'DELETE' THEN c.data END AS before,
      CASE WHEN c.operation <> 'DELETE' THEN c.data END AS after
    FROM rowcast.changes c WHERE c.xid = own AND c.id > mark AND c."table" = name_
  ), inner_ AS (
    SELECT t.*, lag(t.after) OVER by_key AS previous,
      lag(t.id) OVER by_key IS NULL AS is_first, lead(t.id) OVER by_key IS NULL AS is_last
    FROM told t WHERE t.id <= last WINDOW by_key AS (PARTITION BY t.key ORDER BY t.id)
  ), placed AS (
    SELECT i.id, i.key,
      max(i.id) FILTER (WHERE i.before IS NOT DISTINCT FROM o.after
        AND (i.is_first OR i.previous IS NOT DISTINCT FROM o.before)) OVER by_key AS late_from,
      o.operation = 'INSERT' AND bool_or(i.is_first AND i.before = o.after) OVER by_key
        AND bool_or(i.is_last AND i.operation = 'DELETE') OVER by_key AS is_circle
    FROM inner_ i JOIN told o ON o.key = i.key AND o.id > last
    WINDOW by_key AS (PARTITION BY i.key)
  )
  SELECT array_agg(id) FILTER (WHERE NOT is_circle), array_agg(id) FILTER (WHERE is_circle),
    array_agg(key) FILTER (WHERE is_circle)
  INTO late, doubtful, doubtful_keys
  FROM placed WHERE id >= late_from;
  IF doubtful IS NOT NULL THEN
    here := coalesce(rowcast.present(coalesce(pg_partition_root(relation), relation::regclass), doubtful_keys), '{}');
    late := late || ARRAY(SELECT d.id FROM unnest(doubtful, doubtful_keys) AS d (id, key)
      LEFT JOIN (SELECT DISTINCT k FROM unnest(here) k) h ON h.k = d.key WHERE h.k IS NULL);
  END IF;
  IF cardinality(late) > 0 THEN
    WITH taken AS (DELETE FROM rowcast.changes WHERE id = ANY (late) RETURNING *)
    INSERT INTO rowcast.changes (xid, at, "table", operation, key, data, old)
    SELECT t.xid, t.at, t."table", t.operation, t.key, t.data, t.old FROM taken t ORDER BY t.id;
  END IF;
END
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
