/** What is written to the orders here: shown at once, kept until it is sent, and taken back with the reason when it is refused. */
import { signal } from "@preact/signals";
import { type PendingWrite, WriteRefused } from "../../client/index.ts";
import { Listeners } from "../../client/observable.ts";
import type { Order } from "../../protocol/orders.ts";
import type { OrderFields } from "../api.ts";
import { clip, orderNumber } from "./describe.ts";
import { collection } from "./orders-collection.ts";
import { notify } from "./toasts.ts";

export type OrderWrite = PendingWrite<Order>;

/** What is not saved yet, in the order in which it was written, and the orders that it concerns. */
export const pendingWrites = signal<readonly OrderWrite[]>([]);
export const pendingIds = signal<ReadonlySet<number>>(new Set());

const listeners = new Listeners<readonly number[]>();
/** Calls back with the orders that something is written to, or was until now. */
export const pendingKeys = {
  subscribe: (listener: (ids: readonly number[]) => void) => listeners.add(listener),
};

/** Writes whose refusal is told elsewhere: in the dialog they came from. */
const watched = new Set<string>();

/** The row as it is now, with what is written to it here. */
export function findRow(id: number): Order | undefined {
  return collection.rows.get().get(id);
}

export function addOrder(fields: OrderFields): OrderWrite {
  return collection.create(fields);
}

/** @throws {RangeError} when there is no such order. */
export function changeOrder(id: number, fields: Partial<OrderFields>): OrderWrite {
  return collection.update(id, fields);
}

/** The same. */
export function removeOrder(id: number): OrderWrite {
  return collection.remove(id);
}

/** For as long as `until` takes, the refusal of this write is no toast. */
export function tellElsewhere(write: OrderWrite, until: Promise<unknown>): void {
  watched.add(write.id);
  void until.finally(() => watched.delete(write.id));
}

collection.on("refused", ({ write, error }) => {
  if (watched.has(write.id)) return;
  if (write.kind === "remove" && error.status === 404) return; // gone, as it was to be
  notify({ text: `${words(write)} ${reason(error)}`, tone: "error" });
});

/** The numbers that orders created here have got: their rows may have come over the stream before, and were kept back. */
const created = new Set<number>();
const followed = new Set<string>();

function follow({ id, done }: OrderWrite): void {
  if (followed.has(id)) return;
  followed.add(id);
  done.then(
    (order) => {
      if (!order) return;
      created.add(order.id);
      listeners.call([order.id]);
    },
    () => undefined, // told by `refused`
  );
}

collection.pending.subscribe((writes) => {
  const before = pendingIds.peek();
  const now = new Set(writes.map(({ key }) => Number(key)));
  pendingWrites.value = writes;
  pendingIds.value = now;
  for (const write of writes) if (write.kind === "create") follow(write);
  const touched = [...now, ...before, ...created];
  if (touched.length > 0) listeners.call(touched);
  if (writes.length > 0) return;
  created.clear();
  followed.clear();
});

function words({ kind, key, fields }: OrderWrite): string {
  if (kind === "create") return `The order of ${clip(fields.customer_name ?? "", 40)} was not created.`;
  return `Order ${orderNumber(Number(key))} was not ${kind === "remove" ? "deleted" : "changed"}.`;
}

/** As the server says it; of fields, what is wrong with them. */
function reason(error: unknown): string {
  if (!(error instanceof WriteRefused)) return "";
  if (error.status === 404) return "It was deleted meanwhile.";
  if (error.status === 412) return "Somebody else changed the same meanwhile.";
  const issues = error.issues.map(({ message }) => message).join(", ");
  return issues === "" ? error.message : `${issues.charAt(0).toUpperCase()}${issues.slice(1)}.`;
}
