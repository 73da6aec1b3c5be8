/** Stands in for the writes of the collection until the SDK has them: sends at once, shows nothing before. */
import type { LiveCollection } from "../../client/index.ts";
import { emitter, observable } from "../../client/observable.ts";
import type { Order } from "../../protocol/orders.ts";
import {
  type ApiProblem,
  createOrder,
  deleteOrder,
  type FieldIssue,
  newKey,
  type OrderFields,
  updateOrder,
  type Written,
} from "../api.ts";
import { client } from "./connection.ts";

export class WriteRefused extends Error {
  readonly status: number;
  readonly issues: readonly FieldIssue[];
  constructor({ status, message, issues }: ApiProblem) {
    super(message);
    this.status = status;
    this.issues = issues;
  }
}

export interface PendingWrite<R> {
  readonly id: string;
  readonly kind: "create" | "update" | "remove";
  readonly key: number | string | null;
  readonly fields: Partial<R> | null;
  readonly done: Promise<R | null>;
}

export function withWrites(base: LiveCollection<Order>) {
  const refused = emitter<{ refused: { write: PendingWrite<Order>; error: Error } }>();
  const pending = observable<readonly PendingWrite<Order>[]>([]);
  const write = (
    kind: "create" | "update" | "remove",
    key: number | null,
    fields: Partial<Order>,
    sent: Promise<Written>,
  ) => {
    const done = sent.then(
      async ({ data, xid }) => {
        await client.seen(xid);
        return data;
      },
      (problem: ApiProblem) => {
        const error = new WriteRefused(problem);
        refused.emit("refused", { write: made, error });
        throw error;
      },
    );
    const made: PendingWrite<Order> = { id: newKey(), kind, key, fields, done };
    pending.set([...pending.value.get(), made]);
    const end = () => pending.set(pending.value.get().filter((other) => other !== made));
    done.then(end, end);
    return made;
  };
  const version = (id: number) => base.rows.get().get(id)?.updated_at ?? "";
  return {
    rows: base.rows,
    state: base.state,
    reload: () => base.reload(),
    onChange: (listener: Parameters<typeof base.on>[1]) => base.on("change", listener),
    onRefused: (listener: (event: { write: PendingWrite<Order>; error: Error }) => void) =>
      refused.on("refused", listener),
    pending: pending.value,
    create: (fields: OrderFields) => write("create", null, fields, createOrder(fields, newKey())),
    update: (id: number, fields: Partial<OrderFields>) =>
      write("update", id, fields, updateOrder(id, fields, version(id), newKey())),
    remove: (id: number) => write("remove", id, {}, deleteOrder(id, newKey())),
  };
}
