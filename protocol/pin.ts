/**
 * A pin is a filter that a token carries: what of the data its bearer may see at all. A change is shown as somebody sees it
 * to whom only the rows inside the pin exist: a row that leaves is deleted, one that enters is inserted, and no value of
 * a row outside is told. Tables that the pin does not name do not exist.
 */
import type { Change, Row } from "./change.ts";
import { rowPasses, type Filter } from "./filter.ts";

/**
 * The change as it is seen through the pin; the same object when nothing is to be hidden, null when it is not seen.
 *
 * A row that was too large to travel is seen only where its key alone shows that it is inside.
 */
export function throughPin(pin: Filter, change: Change): Change | null {
  const { table, operation, key, data, old } = change;
  if (!Object.hasOwn(pin, table)) return null;
  const isInside = (row: Row): boolean => rowPasses(pin, table, row);
  if (operation === "TRUNCATE") return change;
  if (data === null) return key !== null && isInside(key) ? change : null;
  if (old === null || operation === "DELETE") return isInside(data) ? change : null;
  const before = { ...data, ...old };
  const [wasInside, isNowInside] = [isInside(before), isInside(data)];
  if (wasInside && isNowInside) return change;
  if (isNowInside) return { ...change, operation: "INSERT", old: null };
  return wasInside ? { ...change, operation: "DELETE", data: before, old: null } : null;
}
