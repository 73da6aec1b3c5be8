/** The orders as a live collection in Node, written with plain fetch: what an application of the SDK would have. */
import { createClient, liveCollection, WriteRefused } from "../../client/index.ts";
import type { Client, LiveCollection, LiveCollectionOptions, Observable } from "../../client/index.ts";
import type { Order } from "../../protocol/orders.ts";

export interface Desk {
  readonly client: Client;
  readonly orders: LiveCollection<Order>;
  close(): void;
}

/** Small, so that a few rows are several pages. */
const PAGE = 8;
/** Ids are int4. */
const ABOVE_ALL = 2_147_483_648;
const DRAFT = { customer_name: "", product_name: "", status: "pending", amount: null } as const;

export function openDesk(url: string, options: Partial<LiveCollectionOptions<Order>> = {}): Desk {
  const client = createClient({ url });
  const orders = liveCollection<Order>({
    client,
    table: "orders",
    key: ({ id }) => id,
    load: async (after) => {
      const path = `/api/orders?before=${after ?? ABOVE_ALL}&limit=${PAGE}`;
      const { data, snapshot, timestamp, pagination } = await call<OrderPage>(url, "GET", path);
      return { rows: data, snapshot, timestamp, next: pagination.next_before?.toString() };
    },
    write: {
      draft: (fields, n) => ({ ...DRAFT, created_at: "", updated_at: "", ...fields, id: -n }),
      create: (fields, id) => call(url, "POST", "/api/orders", id, fields),
      update: (order, fields, id) => call(url, "PUT", `/api/orders/${order.id}`, id, fields),
      remove: (order, id) => call(url, "DELETE", `/api/orders/${order.id}`, id),
    },
    ...options,
  });
  const close = (): void => {
    orders.close();
    client.close();
  };
  return { client, orders, close };
}

interface OrderPage {
  readonly data: readonly Order[];
  readonly snapshot: string;
  readonly timestamp: string;
  readonly pagination: { readonly next_before?: number | null };
}

async function call<T>(url: string, method: string, path: string, id?: string, body?: unknown): Promise<T> {
  const response = await fetch(url + path, {
    method,
    headers: { "content-type": "application/json", ...(id !== undefined && { "idempotency-key": id }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as T & { readonly code?: string; readonly detail?: string };
  if (response.ok) return answer;
  const { status } = response;
  if (status >= 500 || status === 429) throw new Error(`${method} ${path}: ${status}`);
  throw new WriteRefused(answer.detail ?? "", {
    status,
    ...(answer.code !== undefined && { code: answer.code }),
  });
}

/** Resolves once `holds`, which is asked at each change of what is observed. */
export function until<T>(observed: Observable<T>, holds: (value: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (value: T): void => {
      if (!holds(value)) return;
      end();
      resolve();
    };
    const end = observed.subscribe(look);
    look(observed.get());
  });
}
