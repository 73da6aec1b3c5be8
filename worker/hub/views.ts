/**
 * Who is concerned by a change. Clients are grouped by what they see, and the groups are looked up by the values that
 * their filters name, so that a batch costs the changes in it and the clients that are told, not the clients that there are.
 */
import type { Change, Row } from "../../protocol/change.ts";
import { scalarText } from "../../protocol/exact-json.ts";
import type { Filter } from "../../protocol/filter.ts";
import type { Batch } from "../change-log/history.ts";
import { joined, parseBatch, seenBy, type Entry, type Selection, type View } from "./selection.ts";

interface Group<Client> {
  readonly view: View;
  readonly clients: Set<Client>;
}

type Groups<Client> = Set<Group<Client>>;

/** The groups that name a table. */
interface Named<Client> {
  readonly all: Groups<Client>;
  /** Those to whom every row of it matters. */
  readonly whole: Groups<Client>;
  /** The others, each by one of the columns that they name: column, value as text, groups. */
  readonly byColumn: Map<string, Map<string | null, Groups<Client>>>;
}

/** What clients who see the same are sent of a batch. */
export interface Share<Client> {
  readonly clients: ReadonlySet<Client>;
  readonly selection: Selection;
}

export class Views<Client> {
  readonly #groups = new Map<string, Group<Client>>();
  readonly #tables = new Map<string, Named<Client>>();

  /** Whether there is anybody who does not see everything. */
  get areFiltered(): boolean {
    return this.#groups.size > (this.#groups.has("") ? 1 : 0);
  }

  add(client: Client, view: View): void {
    let group = this.#groups.get(view.key);
    if (group === undefined) {
      group = { view, clients: new Set() };
      this.#groups.set(view.key, group);
      this.#index(group);
    }
    group.clients.add(client);
  }

  remove(client: Client, view: View): void {
    const group = this.#groups.get(view.key);
    if (group === undefined || !group.clients.delete(client) || group.clients.size > 0) return;
    this.#groups.delete(view.key);
    this.#unindex(group);
  }

  /** What each group that is concerned is sent of a batch; the others have nothing in it. */
  *shares(batch: Batch): Generator<Share<Client>> {
    const { from, to, text } = batch;
    const everything = this.#groups.get("");
    if (everything !== undefined && to > from)
      yield { clients: everything.clients, selection: { text, count: to - from } };
    if (this.#tables.size === 0) return;
    const seen = new Map<Group<Client>, Entry[]>();
    for (const entry of parseBatch(batch)) {
      for (const group of this.#perhaps(entry.change)) {
        const entries = seenBy(group.view, entry);
        if (entries.length === 0) continue;
        const before = seen.get(group);
        if (before === undefined) seen.set(group, entries);
        else before.push(...entries);
      }
    }
    for (const [{ clients }, entries] of seen) yield { clients, selection: joined(entries) };
  }

  /** All groups that may see the change; some of them may not: their view is asked. */
  #perhaps({ table, data, old }: Change): Groups<Client> {
    const named = this.#tables.get(table);
    if (named === undefined) return new Set();
    if (data === null) return named.all;
    const groups = new Set(named.whole);
    for (const [column, byValue] of named.byColumn) {
      for (const group of valued(byValue, data, column)) groups.add(group);
      if (old !== null) for (const group of valued(byValue, old, column)) groups.add(group);
    }
    return groups;
  }

  #index(group: Group<Client>): void {
    for (const [table, columns] of named(group.view)) {
      let known = this.#tables.get(table);
      if (known === undefined) {
        known = { all: new Set(), whole: new Set(), byColumn: new Map() };
        this.#tables.set(table, known);
      }
      known.all.add(group);
      const chosen = chosenColumn(columns);
      if (chosen === null) {
        known.whole.add(group);
        continue;
      }
      const [column, values] = chosen;
      const byValue = known.byColumn.get(column) ?? new Map<string | null, Groups<Client>>();
      known.byColumn.set(column, byValue);
      for (const value of values) {
        const groups = byValue.get(value) ?? new Set();
        byValue.set(value, groups.add(group));
      }
    }
  }

  #unindex(group: Group<Client>): void {
    for (const [table, columns] of named(group.view)) {
      const known = this.#tables.get(table);
      if (known === undefined) continue;
      known.all.delete(group);
      known.whole.delete(group);
      const [column = "", values = []] = chosenColumn(columns) ?? [];
      const byValue = known.byColumn.get(column);
      for (const value of values) {
        byValue?.get(value)?.delete(group);
        if (byValue?.get(value)?.size === 0) byValue.delete(value);
      }
      if (byValue?.size === 0) known.byColumn.delete(column);
      if (known.all.size === 0) this.#tables.delete(table);
    }
  }
}

/** By what a view is looked up: a client sees nothing that its filter does not name, nor what its pin does not. */
function named({ pin, filter }: View): [table: string, columns: Filter[string]][] {
  return Object.entries(filter ?? pin ?? {});
}

/** The column with the fewest values: a match in it is the least likely. Null when there is none. */
function chosenColumn(columns: Filter[string]): [column: string, values: Set<string | null>] | null {
  const [first] = Object.entries(columns).toSorted(([, a], [, b]) => a.length - b.length);
  return first === undefined ? null : [first[0], new Set(first[1].map(scalarText))];
}

function valued<Client>(
  byValue: ReadonlyMap<string | null, Groups<Client>>,
  row: Row,
  column: string,
): Iterable<Group<Client>> {
  return (Object.hasOwn(row, column) && byValue.get(scalarText(row[column]))) || [];
}
