-- What the suite writes to, beside orders: rows of every size with a key of two columns, and a table that is emptied now and then.
CREATE TABLE items (
  shelf int NOT NULL, id int NOT NULL, name text NOT NULL, body text NOT NULL DEFAULT '', n int NOT NULL DEFAULT 0,
  PRIMARY KEY (shelf, id)
);
CREATE TABLE crates (id int PRIMARY KEY, note text NOT NULL, n int NOT NULL DEFAULT 0);
SELECT rowcast.watch('items');
SELECT rowcast.watch('crates');

-- "No room to write" is switched by a sequence: that is seen at once by everybody and waits for nobody's lock, as a trigger
-- that is made and dropped would. (An open transaction is a fault too, and the two may meet.)
CREATE SEQUENCE no_room MINVALUE 0 START 0;
CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  -- What a full disk does to an INSERT or DELETE, in the words and the code of Postgres.
  IF (SELECT last_value FROM no_room) = 1 THEN
    RAISE 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
  END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER no_room BEFORE INSERT OR DELETE ON rowcast.changes EXECUTE FUNCTION no_room();
