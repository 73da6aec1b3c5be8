-- The usual recipe: a row trigger that puts the row into NOTIFY. (A row over 8,000 bytes fails the writer's transaction.)
CREATE FUNCTION notify_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM pg_notify('baseline', json_build_object(
    'type', 'change', 'table', TG_TABLE_NAME, 'operation', TG_OP, 'data', row_to_json(coalesce(NEW, OLD))
  )::text);
  RETURN NULL;
END
$$;

CREATE TRIGGER notify_change AFTER INSERT OR UPDATE OR DELETE ON readings
  FOR EACH ROW EXECUTE FUNCTION notify_change();
