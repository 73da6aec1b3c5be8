/** The HTTP API, typed by the Worker's own routes, and what a live collection of orders needs of it. */
import { hc } from "hono/client";
import type { Order, OrderStatus } from "../protocol/orders.ts";
import { WriteRefused } from "./index.ts";
import type { LiveCollectionOptions, Token, WriteCalls } from "./index.ts";
import { ABOVE_ALL, EMPTY_ORDER, isFinal } from "./orders.ts";
import type { AppType } from "./rest-types.ts";
import { authorization } from "./token.ts";

export interface ApiOptions {
  /** A function is asked at each request, and so for a fresh token when the last one has run out. */
  readonly token?: Token;
  readonly fetch?: typeof globalThis.fetch;
}

/**
 * `api.api.orders.$get({ query })` and so on: paths, what they take and what they answer are those of the Worker. Answers are
 * those of `fetch`: one that is not `ok` carries an RFC 9457 problem instead.
 *
 * @param url where the Worker is.
 */
export function createApi(url: string, { token, fetch }: ApiOptions = {}) {
  return hc<AppType>(url, { headers: () => authorization(token), ...(fetch && { fetch }) });
}

export type Api = ReturnType<typeof createApi>;

export interface OrdersOptions {
  /** Only orders of these; of all when left out. */
  readonly statuses?: readonly OrderStatus[];
  /** How many rows to ask for at once: 1 to 5,000; 1,000 when left out. */
  readonly pageSize?: number;
}

type OrdersSource = Pick<LiveCollectionOptions<Order>, "table" | "key" | "load"> &
  Required<Pick<LiveCollectionOptions<Order>, "filter">> & { readonly write: WriteCalls<Order> };

/**
 * What `liveCollection` takes for the orders, but the client: `liveCollection({ client, ...ordersWrites(api) })`. Fields that
 * are written win over what others have written to the same fields meanwhile; their other fields stay.
 */
export function ordersWrites(api: Api, { statuses = [], pageSize = 1000 }: OrdersOptions = {}): OrdersSource {
  const { orders } = api.api;
  const status = statuses.length > 0 ? { status: [...statuses] } : {};
  return {
    table: "orders",
    key: ({ id }) => id,
    filter: statuses.length > 0 ? { statuses: [...statuses] } : {},
    load: async (before = String(ABOVE_ALL)) => {
      const query = { ...status, before, limit: String(pageSize) };
      const page = await answered(orders.$get({ query }, { init: { cache: "no-store" } }));
      const { data, snapshot, timestamp, pagination } = page;
      return { rows: data, snapshot, timestamp, next: pagination.next_before?.toString() };
    },
    write: {
      // Orders that are being created have numbers below zero, which no other has.
      draft: (fields, n) => ({ ...EMPTY_ORDER, ...fields, id: -n }),
      create: (fields, id) => {
        // What is missing, the server names.
        const json = writable(fields) as Pick<Order, "customer_name" | "product_name">;
        return answered(orders.$post({ json }, once(id)));
      },
      update: (row, fields, id) =>
        answered(orders[":id"].$put({ ...at(row), json: writable(fields) }, once(id))),
      remove: (row, id) => answered(orders[":id"].$delete(at(row), once(id))),
    },
  };
}

/** The fields that a person fills in: the others are the server's. */
function writable({ customer_name, product_name, status, amount }: Partial<Order>) {
  return {
    ...(customer_name !== undefined && { customer_name }),
    ...(product_name !== undefined && { product_name }),
    ...(status !== undefined && { status }),
    ...(amount !== undefined && { amount }),
  };
}

const at = ({ id }: Order) => ({ param: { id: String(id) } });
const once = (id: string) => ({ headers: { "Idempotency-Key": id } });

interface Answer<T> {
  readonly ok: boolean;
  readonly status: number;
  json(): Promise<T>;
}

/**
 * @throws {WriteRefused} when the server has understood, and says no.
 * @throws {Error} when asking again may help.
 */
async function answered<T>(asked: Promise<Answer<T>>): Promise<T> {
  const response = await asked;
  if (response.ok) return response.json();
  const { status } = response;
  const about: unknown = await response.json().catch(() => null); // a proxy's page is no JSON
  const { code, title, detail, issues } = (about ?? {}) as Partial<
    Record<"code" | "title" | "detail", string>
  > &
    Partial<Pick<WriteRefused, "issues">>;
  const message = detail ?? title ?? `The server answered with status ${status}.`;
  if (!isFinal(response)) throw new Error(message);
  throw new WriteRefused(message, { status, ...(code && { code }), ...(issues && { issues }) });
}
