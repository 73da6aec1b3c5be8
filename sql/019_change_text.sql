-- The text of a change is written in one place: what a bundle has in common (016_bundles.sql) is what a change by itself has.

-- As in 005_read.sql.
CREATE OR REPLACE FUNCTION rowcast.change_json(c rowcast.changes, body text) RETURNS text
LANGUAGE sql STABLE AS $$
  SELECT rowcast.bundle_head(c) || '"key":' || coalesce(c.key::text, 'null') || body || rowcast.bundle_tail(c)
$$;

REVOKE ALL ON ALL FUNCTIONS IN SCHEMA rowcast FROM PUBLIC;
