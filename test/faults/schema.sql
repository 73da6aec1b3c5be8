-- What the suite writes to, beside orders: rows of every size with a key of two columns, and a table that is emptied now and then.
CREATE TABLE items (
  shelf int NOT NULL, id int NOT NULL, name text NOT NULL, body text NOT NULL DEFAULT '', n int NOT NULL DEFAULT 0,
  PRIMARY KEY (shelf, id)
);
CREATE TABLE crates (id int PRIMARY KEY, note text NOT NULL, n int NOT NULL DEFAULT 0);
SELECT rowcast.watch('items');
SELECT rowcast.watch('crates');
