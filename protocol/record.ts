/** Objects by any name. */
import * as v from "valibot";

const AnyObject = v.custom<Record<string, unknown>>(
  (value) => typeof value === "object" && value !== null && !Array.isArray(value),
  "has to be an object",
);

/**
 * `v.record`, but with every name: that one leaves out `constructor`, `prototype` and `__proto__`, which Postgres takes
 * as names of tables and columns, and takes an array for an empty record.
 */
export function record<
  Name extends v.GenericSchema<string>,
  Value extends v.BaseSchema<unknown, unknown, v.BaseIssue<unknown>>,
>(name: Name, value: Value): v.RecordSchema<Name, Value, undefined> {
  const entries = v.pipe(
    AnyObject,
    v.transform((given) => Object.entries(given)),
    v.array(v.tuple([name, value])),
    v.transform((checked) => Object.fromEntries(checked) as Record<string, unknown>),
  );
  return {
    ...v.record(name, value), // as which it is described in OpenAPI
    "~run": (dataset, config) => entries["~run"](dataset, config) as never,
  };
}

/** A record of anything: only that it is an object is checked, and it is taken as it is. */
export function anyRecord(): v.RecordSchema<v.StringSchema<undefined>, v.UnknownSchema, undefined> {
  return {
    ...v.record(v.string(), v.unknown()), // as which it is described in OpenAPI
    "~run": (dataset, config) => AnyObject["~run"](dataset, config) as never,
  };
}
