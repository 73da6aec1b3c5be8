/** The orders API as the dashboard calls it: small typed functions over fetch, every failure an `ApiProblem`. */
import type { Order } from "../protocol/orders.ts";
import { readToken } from "./token.ts";

/** What a person fills in. */
export type OrderFields = Pick<Order, "customer_name" | "product_name" | "status" | "amount">;

export interface FieldIssue {
  readonly field: string;
  readonly message: string;
}

export interface OrderPage {
  readonly rows: readonly Order[];
  /** How many orders there are in all, of which `rows` may be the newest. */
  readonly total: number;
  /** The Postgres snapshot that the rows were read in: where the stream joins. */
  readonly snapshot: string;
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

/** @throws {ApiProblem} */
export async function listOrders(limit: number): Promise<OrderPage> {
  const body = await call<{
    data: readonly Order[];
    count: number;
    pagination?: { total?: number };
    snapshot: string;
  }>("GET", `/api/orders?limit=${limit}`);
  return { rows: body.data, total: body.pagination?.total ?? body.count, snapshot: body.snapshot };
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

/**
 * `idempotencyKey` makes a retry after a lost answer safe.
 *
 * @throws {ApiProblem} 422 with the fields that are wrong.
 */
export function createOrder(fields: OrderFields, idempotencyKey: string): Promise<Written> {
  return call("POST", "/api/orders", { body: fields, headers: { "Idempotency-Key": idempotencyKey } });
}

/**
 * Changes the fields given, provided that the row still is the version that was edited (its `updated_at`).
 *
 * @throws {ApiProblem} 412 when it changed meanwhile, 404 when it is gone, 422 with the fields that are wrong.
 */
export function updateOrder(id: number, fields: Partial<OrderFields>, version: string): Promise<Written> {
  return call("PUT", `/api/orders/${id}`, { body: fields, headers: { "If-Match": `"${version}"` } });
}

/** @throws {ApiProblem} 404 when it was gone already. */
export async function deleteOrder(id: number): Promise<void> {
  await call("DELETE", `/api/orders/${id}`);
}

interface CallOptions {
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

async function call<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
  const token = readToken();
  const init: RequestInit = {
    method,
    cache: "no-store",
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
