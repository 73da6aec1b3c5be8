/**
 * The rows of a table, live. Exact whatever is in flight: what the stream brings while the rows are loaded is kept; then
 * each change that the loaded snapshot shows already is dropped, and the rest applied in order. Writes are laid over the rows
 * until the stream has brought them.
 */
import type { Change } from "../protocol/change.ts";
import { rowPasses, toFilter } from "../protocol/filter.ts";
import type { Row } from "../protocol/change.ts";
import type { CollectionEvents, LiveCollection, LiveCollectionOptions } from "./collection/api.ts";
import { Loader, type Filled } from "./collection/loader.ts";
import { Store } from "./collection/store.ts";
import { Writes } from "./collection/writes.ts";
import { defaultEnv } from "./env.ts";
import { emitter, observable } from "./observable.ts";
import type { Key, RowChange, TableShape } from "./rows.ts";

/** Opens a collection on a client's stream. */
export function liveCollection<R>(options: LiveCollectionOptions<R>): LiveCollection<R> {
  const { client, table, key, load, write, storage } = options;
  const env = { ...defaultEnv(), ...options.env };
  const shape: TableShape<R> = { table, key, filter: toFilter(options.filter ?? {}) };
  const clients = (): number => client.status?.get()?.connectedClients ?? 0;
  const events = emitter<CollectionEvents<R>>();
  const store = new Store<R>(key);

  const overlay = (its: Key, row: R | undefined): R | undefined => (writes ? writes.overlaid(its, row) : row);
  const tell = (done: readonly RowChange<R>[]): void => {
    store.settle();
    for (const event of done) events.emit("change", event);
  };

  const show = ({ pages, keys, done, kept }: Filled<R>): void => {
    if (keys === null) store.replace(pages.rows, overlay);
    else store.add(keys, overlay);
    writes?.confirmation.saw(xidsOf(kept));
    if (pages.isComplete) writes?.confirmation.loaded((its, xid) => pages.shows(its, xid));
    tell(done);
  };
  const loader = new Loader<R>({ shape, load, client, clients, show, env });

  const receive = (changes: readonly Change[]): void => {
    const mine = changes.filter((change) => change.table === table);
    if (mine.length === 0) return;
    const done = loader.take(mine);
    if (done === null) return;
    store.change(done, overlay);
    for (const { change, after } of done)
      if (change.operation === "INSERT" && after !== null) writes?.came(key(after), after);
    writes?.confirmation.saw(xidsOf(mine));
    tell(done);
  };

  const reach = () => {
    const name = client.state?.get().name ?? "live";
    if (name === "offline") return "never";
    const isHeard = (client.status?.get()?.listener ?? "live") === "live";
    return name === "live" && isHeard ? "live" : "unknown";
  };
  const writes =
    write &&
    new Writes<R>({
      calls: write,
      storage,
      keyOf: key,
      shown: (its) => store.row(its).get(),
      server: (its) => store.serverRow(its),
      isStreamed: (row) => rowPasses(shape.filter, table, row as Row),
      changed: (keys) => {
        for (const its of keys) store.lay(its, overlay, writes?.isOverlaid(its) ?? false);
        store.settle();
      },
      refused: (refusal) => events.emit("refused", refusal),
      reach,
      clients,
      env,
    });
  const writable = (): Writes<R> => {
    if (writes === undefined) throw new TypeError("the collection was opened without `write`");
    return writes;
  };

  const begin = (): void => {
    loader.begin();
    writes?.retryNow();
  };
  const ends = [
    client.on("changes", ({ changes }) => receive(changes)),
    client.on("reset", () => loader.restart()),
    client.on("welcome", begin),
  ];
  if (client.position !== null) begin();

  return {
    rows: store.rows,
    state: loader.state,
    pending: writes?.pending ?? observable([]).value,
    row: (its) => store.row(writes?.keyOf(its) ?? its),
    query: (wish) => store.query(wish),
    create: (fields) => writable().create(fields),
    update: (its, fields) => writable().update(its, fields),
    remove: (its) => writable().remove(its),
    on: events.on,
    reload: () => loader.reload(),
    close: () => {
      loader.close();
      writes?.close();
      for (const end of ends) end();
    },
  };
}

function xidsOf(changes: readonly Change[]): string[] {
  return changes.map(({ xid }) => xid);
}
