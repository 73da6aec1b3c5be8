/** The orders API as the terminal uses it. Every write carries a key of its own, so that sending it again does it once. */
import { setTimeout as pause } from "node:timers/promises";
import { ABOVE_ALL } from "../client/orders.ts";
import { parseExact } from "../protocol/exact-json.ts";
import type { Order, OrderStatus } from "../protocol/orders.ts";
import { Interrupted } from "./exit.ts";
import { ApiProblem, Unreachable } from "./problem.ts";
import type { Issue } from "./problem.ts";

/** What a person fills in. */
export type OrderFields = Pick<Order, "customer_name" | "product_name" | "status" | "amount">;

/** Which orders: with any of the statuses, and with the text somewhere in the customer's name. */
export interface OrderFilter {
  readonly statuses?: readonly string[];
  readonly customer?: string;
}

export interface ApiOptions {
  readonly url: string;
  readonly token?: string;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
  /** Told that the server wants a pause, in seconds. */
  readonly onPause?: (seconds: number) => void;
}

export type Api = ReturnType<typeof createApi>;

/** At most so many ids in one bulk request. */
export const MAX_BULK = 1000;
/** At most so many orders in one answer. */
export const MAX_PAGE = 5000;

const ANSWER_MS = 30_000;
/** After a connection that failed: it may have been cut under way, and then only a repetition tells what came of it. */
const RETRY_PAUSES_MS = [200, 800];
/** A longer pause than this, in seconds, is for the caller to wait. */
const MAX_PAUSE_S = 60;
const MAX_PAUSES = 5;

/** Every method throws {ApiProblem}, {Unreachable}, or, when `signal` says so, {Interrupted}. */
export function createApi(options: ApiOptions) {
  const call = <T>(method: string, path: string, more: CallOptions = {}) =>
    send<T>(options, method, path, more);

  const page = (filter: OrderFilter, search: Readonly<Record<string, string>>) =>
    call<ListAnswer>("GET", "/api/orders", { search: { ...filterSearch(filter), ...search } });

  return {
    url: options.url,

    /** A page, newest first, and how many match in all. */
    async list(filter: OrderFilter, limit: number, offset: number) {
      const { data, pagination } = await page(filter, { limit: String(limit), offset: String(offset) });
      return { orders: data, total: pagination.total ?? data.length };
    },

    /** All that match, by id, the highest first, page after page. */
    async *each(filter: OrderFilter): AsyncGenerator<readonly Order[]> {
      let before: number | null = ABOVE_ALL;
      while (before !== null) {
        const answer: ListAnswer = await page(filter, { before: String(before), limit: String(MAX_PAGE) });
        if (answer.data.length > 0) yield answer.data;
        before = answer.pagination.next_before ?? null;
      }
    },

    async show(id: number): Promise<Order> {
      return (await call<{ data: Order }>("GET", `/api/orders/${id}`)).data;
    },
    create(fields: Partial<OrderFields>, key: string): Promise<Written> {
      return call("POST", "/api/orders", { body: fields, headers: { "Idempotency-Key": key } });
    },
    /** @param version the `updated_at` that the order must still have; any without one. */
    update(id: number, fields: Partial<OrderFields>, key: string, version?: string): Promise<Written> {
      const headers = {
        "Idempotency-Key": key,
        ...(version !== undefined && { "If-Match": `"${version}"` }),
      };
      return call("PUT", `/api/orders/${id}`, { body: fields, headers });
    },
    remove(id: number, key: string): Promise<Written> {
      return call("DELETE", `/api/orders/${id}`, { headers: { "Idempotency-Key": key } });
    },
    /** @param ids at most MAX_BULK, each once. */
    setStatus(ids: readonly number[], status: OrderStatus, key: string): Promise<BulkWritten> {
      const body = { order_ids: ids, status };
      return call("PATCH", "/api/orders/bulk-status", { body, headers: { "Idempotency-Key": key } });
    },
    async stats(): Promise<Readonly<Record<string, unknown>>> {
      return (await call<{ data: Record<string, unknown> }>("GET", "/api/orders/stats")).data;
    },
    status(): Promise<StatusAnswer> {
      return call("GET", "/api/status");
    },
  };
}

export interface Written {
  readonly data: Order;
  readonly message: string;
  readonly xid: string;
}

export interface BulkWritten {
  readonly count: number;
  readonly missing: readonly number[];
  readonly xid: string;
}

/** Of `/api/status`, what is shown. A pinned token is told no numbers of others. */
export interface StatusAnswer {
  readonly status: string;
  readonly position: string;
  readonly listener: { readonly status: string };
  readonly lag: { readonly changes: number | null; readonly ms: number | null };
  readonly clients: { readonly total: number | null };
  readonly history: { readonly changes: number | null };
  readonly database: string;
  readonly versions: { readonly rowcast: string };
}

interface ListAnswer {
  readonly data: readonly Order[];
  readonly pagination: { readonly total: number | null; readonly next_before?: number | null };
}

interface CallOptions {
  readonly search?: Readonly<Record<string, string>>;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

function filterSearch({ statuses = [], customer }: OrderFilter): Record<string, string> {
  return {
    ...(statuses.length > 0 && { status: statuses.join(",") }),
    ...(customer !== undefined && { customer_name: customer }),
  };
}

async function send<T>(options: ApiOptions, method: string, path: string, more: CallOptions): Promise<T> {
  const { signal, onPause } = options;
  const { search = {}, body, headers } = more;
  const address = new URL(options.url);
  address.pathname = address.pathname.replace(/\/*$/, path);
  address.search = new URLSearchParams(search).toString();
  address.hash = "";
  const init = {
    method,
    headers: {
      ...(options.token !== undefined && { Authorization: `Bearer ${options.token}` }),
      ...(body && { "Content-Type": "application/json" }),
      ...headers,
    },
    ...(body && { body: JSON.stringify(body) }),
  };
  const rest = async (ms: number): Promise<void> => {
    await pause(ms, undefined, { signal }).catch(() => {
      throw new Interrupted();
    });
  };

  for (let failures = 0, pauses = 0; ;) {
    let response: Response;
    let text: string;
    try {
      response = await fetch(address, { ...init, signal: AbortSignal.any([signal, timeout()]) });
      text = await response.text();
    } catch (error) {
      if (signal.aborted) throw new Interrupted();
      const wait = RETRY_PAUSES_MS[failures];
      if (wait === undefined) throw new Unreachable(`${address.origin} does not answer: ${words(error)}.`);
      failures += 1;
      await rest(wait);
      continue;
    }
    const answer = readJson(text);
    if (response.ok && answer !== null) return answer as T;
    if (response.ok) throw new Unreachable(`What answers at ${address.origin} is not Rowcast.`);
    const seconds = Number(response.headers.get("Retry-After") ?? Infinity);
    if (response.status !== 429 || seconds > MAX_PAUSE_S || pauses === MAX_PAUSES) {
      throw toProblem(response.status, answer);
    }
    pauses += 1;
    onPause?.(seconds);
    await rest(seconds * 1000);
  }
}

function timeout(): AbortSignal {
  return AbortSignal.timeout(ANSWER_MS);
}

/** Null when it is none: a proxy's page. */
function readJson(text: string): object | null {
  try {
    const value = parseExact(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

function toProblem(status: number, body: object | null): ApiProblem {
  const problem: {
    code?: string;
    title?: string;
    detail?: string;
    issues?: readonly Issue[];
  } = body ?? {};
  const detail = problem.detail ?? problem.title ?? "The answer does not say more.";
  return new ApiProblem(status, problem.code ?? "unknown", detail, problem.issues ?? []);
}

/** Node's fetch hides what happened in `cause`, and several addresses tried in an AggregateError without a message. */
function words(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === "TimeoutError") return `nothing came within ${ANSWER_MS / 1000} s`;
  const { cause } = error;
  if (cause instanceof AggregateError && cause.errors[0] instanceof Error) return cause.errors[0].message;
  return cause instanceof Error && cause.message !== "" ? cause.message : error.message;
}
