/** A change in words: what the feed and the announcements show of it. Pure. */
import type { Change, Operation, Row } from "../../protocol/change.ts";

export interface FieldChange {
  readonly field: string;
  /** Null where there was nothing to be changed from: a new or a deleted row. */
  readonly from: string | null;
  readonly to: string;
}

export interface Description {
  /** `#12`, or for other tables the table and the key: `sales.items (4, "x")`. */
  readonly subject: string;
  /** Whose order it is. */
  readonly name: string;
  readonly fields: readonly FieldChange[];
}

/** No use in a list, and in a narrow one no place, for more of a value than this. */
const MAX_VALUE_CHARS = 80;
const MAX_FIELDS = 6;

/** Columns that say nothing by changing. */
const SILENT = new Set(["id", "created_at", "updated_at"]);

export function describeChange(change: Change): Description {
  return { subject: subjectOf(change), name: nameOf(change), fields: fieldsOf(change) };
}

/**
 * One line for somebody who cannot see the page: `Order 12 updated: status shipped`. Where there was more than one change
 * since the last announcement, `counts` tells how many of each kind.
 */
export function announce(latest: Change, counts: ReadonlyMap<Operation, number>): string {
  const sum = [...counts.values()].reduce((a, b) => a + b, 0);
  if (sum > 1) {
    const parts = [...counts].map(([operation, count]) => `${count} ${VERBS[operation]}`);
    return `${sum} changes: ${parts.join(", ")}`;
  }
  const { subject, fields } = describeChange(latest);
  const who = subject.startsWith("#") ? `Order ${subject.slice(1)}` : subject;
  const what = fields.map(({ field, to }) => `${field} ${to}`).join(", ");
  const said = `${who} ${VERBS[latest.operation]}`;
  return latest.operation === "UPDATE" && what !== "" ? `${said}: ${what}` : said;
}

const VERBS: Record<Operation, string> = {
  INSERT: "added",
  UPDATE: "updated",
  DELETE: "deleted",
  TRUNCATE: "emptied",
};

/** An order that is being created has a number below zero until the server has given it its own. */
export function orderNumber(id: number): string {
  return id > 0 ? `#${id}` : "(new)";
}

function subjectOf({ table, key }: Change): string {
  if (key === null) return table;
  if (table === "orders") return `#${valueText(key.id)}`;
  return `${table} (${Object.values(key).map(valueText).join(", ")})`;
}

function nameOf({ table, data }: Change): string {
  return table === "orders" && typeof data?.customer_name === "string" ? clip(data.customer_name) : "";
}

function fieldsOf(change: Change): readonly FieldChange[] {
  const { operation, data, old } = change;
  if (data === null || operation === "TRUNCATE") return [];
  if (operation === "UPDATE") {
    return Object.keys(old ?? {})
      .filter((field) => !SILENT.has(field))
      .slice(0, MAX_FIELDS)
      .map((field) => ({
        field: fieldName(field),
        from: columnText(field, old?.[field]),
        to: columnText(field, data[field]),
      }));
  }
  return shownColumns(change.table, data).map((field) => ({
    field: fieldName(field),
    from: null,
    to: columnText(field, data[field]),
  }));
}

function shownColumns(table: string, data: Row): readonly string[] {
  if (table === "orders")
    return ["product_name", "status", "amount"].filter((column) => data[column] != null);
  return Object.keys(data)
    .filter((column) => !SILENT.has(column))
    .slice(0, MAX_FIELDS);
}

function fieldName(column: string): string {
  return column.replace(/_name$/, "").replaceAll("_", " ");
}

function columnText(column: string, value: unknown): string {
  return column === "amount" && typeof value === "number" ? value.toFixed(2) : valueText(value);
}

/** A value for people; long ones are cut. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return "none";
  if (typeof value === "string") return value === "" ? "empty" : clip(value);
  return clip(JSON.stringify(value));
}

/** The beginning of a long text: a row may hold megabytes, and the page need not. Never ends in half a character. */
export function clip(text: string, maxChars = MAX_VALUE_CHARS): string {
  if (text.length <= maxChars) return text;
  return `${text
    .slice(0, maxChars)
    .replace(/[\uD800-\uDBFF]$/, "")
    .trimEnd()}…`;
}
