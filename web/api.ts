/** The orders API as the dashboard calls it: small typed functions over fetch, every failure an `ApiProblem`. */
import { ABOVE_ALL } from "../client/orders.ts";
import { ORDER_STATUSES } from "../protocol/order-status.ts";
import type { Order, OrderStatus } from "../protocol/orders.ts";
import { type Counts, NO_COUNTS } from "./state/orders-tally.ts";
import { readToken } from "./token.ts";

/** What a person fills in. */
export type OrderFields = Pick<Order, "customer_name" | "product_name" | "status" | "amount">;

export interface FieldIssue {
  readonly field: string;
  readonly message: string;
}

export interface OrderPage {
  readonly rows: readonly Order[];
  /** The Postgres snapshot that the rows were read in: where the stream joins. */
  readonly snapshot: string;
  /** When that was, by the database's clock, ISO 8601. */
  readonly timestamp?: string | undefined;
  /** What to ask the next page with; undefined after the last. */
  readonly next: string | undefined;
}

/** An error of the API (RFC 9457), or none reached (`status` 0, code `unreachable`). */
export class ApiProblem extends Error {
  readonly status: number;
  readonly code: string;
  readonly issues: readonly FieldIssue[];
  constructor(status: number, code: string, message: string, issues: readonly FieldIssue[] = []) {
    super(message);
    this.name = "ApiProblem";
    this.status = status;
    this.code = code;
    this.issues = issues;
  }
}

/** Names a write, so that sending it again after a lost answer does it once. */
export function newKey(): string {
  // not randomUUID: browsers have that only under https and on localhost
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Orders by number, the newest first.
 *
 * @param before `next` of the page before; undefined for the first.
 * @throws {ApiProblem}
 */
export async function listOrders(before: string | undefined, limit: number): Promise<OrderPage> {
  const { data, snapshot, timestamp, pagination } = await call<{
    data: readonly Order[];
    snapshot: string;
    timestamp?: string;
    pagination: { next_before?: number | null };
  }>("GET", `/api/orders?before=${before ?? ABOVE_ALL}&limit=${limit}`);
  return { rows: data, snapshot, timestamp, next: pagination.next_before?.toString() };
}

/** @throws {ApiProblem} */
export async function countOrders(): Promise<{ readonly counts: Counts; readonly snapshot: string }> {
  const { data, snapshot } = await call<{ data: Readonly<Record<string, number>>; snapshot: string }>(
    "GET",
    "/api/orders/stats",
  );
  const byStatus = { ...NO_COUNTS.byStatus };
  for (const status of ORDER_STATUSES) byStatus[status] = data[`${status}_orders`] ?? 0;
  return {
    counts: { all: data["total_orders"] ?? 0, byStatus, customers: data["unique_customers"] ?? 0 },
    snapshot,
  };
}

/** @throws {ApiProblem} 404 when it is gone. */
export async function getOrder(id: number): Promise<Order> {
  return (await call<{ data: Order }>("GET", `/api/orders/${id}`)).data;
}

/** Answers of writes carry the transaction's id, by which the stream tells when it has caught up with them. */
export interface Written {
  readonly data: Order;
  readonly xid: string;
}

/** @throws {ApiProblem} 422 with the fields that are wrong. */
export function createOrder(fields: OrderFields, key: string): Promise<Written> {
  return call("POST", "/api/orders", { body: fields, headers: { "Idempotency-Key": key } });
}

/**
 * Changes the fields given, provided that the row still is the version that was edited (its `updated_at`).
 *
 * @throws {ApiProblem} 412 when it changed meanwhile, 404 when it is gone, 422 with the fields that are wrong.
 */
export function updateOrder(
  id: number,
  fields: Partial<OrderFields>,
  version: string,
  key: string,
): Promise<Written> {
  const headers = { "If-Match": `"${version}"`, "Idempotency-Key": key };
  return call("PUT", `/api/orders/${id}`, { body: fields, headers });
}

/** @throws {ApiProblem} 404 when it was gone already. */
export function deleteOrder(id: number, key: string): Promise<Written> {
  // a page that goes sends what it has deleted: `keepalive` lets that outlive it
  return call("DELETE", `/api/orders/${id}`, { headers: { "Idempotency-Key": key }, keepalive: true });
}

/** At most 1,000 at once. @throws {ApiProblem} 404 when none of them is there. */
export function setStatusOf(
  ids: readonly number[],
  status: OrderStatus,
  key: string,
): Promise<{ readonly xid: string; readonly missing: readonly number[] }> {
  const headers = { "Idempotency-Key": key };
  return call("PATCH", "/api/orders/bulk-status", { body: { order_ids: ids, status }, headers });
}

interface CallOptions {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly keepalive?: boolean;
}

async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const token = readToken();
  const init: RequestInit = {
    method,
    cache: "no-store",
    ...(options.keepalive && { keepalive: true }),
    headers: {
      ...(token !== undefined && { Authorization: `Bearer ${token}` }),
      ...(options.body && { "Content-Type": "application/json" }),
      ...options.headers,
    },
    ...(options.body && { body: JSON.stringify(options.body) }),
  };
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch {
    // fetch says no more than "failed": offline, refused, cut
    throw new ApiProblem(0, "unreachable", "The server cannot be reached.");
  }
  const body: unknown = await response.json().catch(() => null); // a proxy's error page is no JSON
  if (response.ok && body !== null) return body as T;
  throw toProblem(response.status, body);
}

function toProblem(status: number, body: unknown): ApiProblem {
  const problem = (body ?? {}) as {
    code?: string;
    title?: string;
    detail?: string;
    issues?: readonly FieldIssue[];
  };
  return new ApiProblem(
    status,
    problem.code ?? "unknown",
    problem.detail ?? problem.title ?? `The server answered with status ${status}.`,
    Array.isArray(problem.issues) ? problem.issues : [],
  );
}
