-- What the writers fill, in a database of its own for each system. About as wide as an order.
CREATE TABLE readings (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  run integer NOT NULL,
  writer integer NOT NULL,
  n integer NOT NULL,
  -- Just before the statement was sent, in ms since the benchmark began: few digits, as values in rows mostly have.
  sent_ms double precision NOT NULL,
  note text NOT NULL
);
