/** `/api/orders`: the routes. What they take is in schemas.ts, what they ask of Postgres in queries.ts. */
import { type Context, Hono } from "hono";
import type { Order } from "../../protocol/orders.ts";
import { openDatabase } from "../database/open.ts";
import type { AppEnv } from "../http/app-env.ts";
import { logError } from "../http/log-error.ts";
import { onError, Problem } from "../http/problem.ts";
import { timedDatabase } from "../http/timing.ts";
import { allowMethods, jsonBody, pathParams, queryParams } from "../http/validation.ts";
import { createOrder, createOrderOnce } from "./creation.ts";
import { listOrders } from "./list.ts";
import { pinParams, requireInside } from "./pin.ts";
import { etag, isUnchanged, versionsOf } from "./preconditions.ts";
import * as queries from "./queries.ts";
import { BulkStatus, ListQuery, NewOrder, OrderChange, OrderParams } from "./schemas.ts";

const orderParams = pathParams(OrderParams, "invalid_id");
const orderChange = jsonBody(OrderChange);

/** Mounted at /api/orders and /orders. */
export const orders = new Hono<AppEnv>()
  .use("/", allowMethods("GET", "POST"))
  .use("/stats", allowMethods("GET"))
  .use("/bulk-status", allowMethods("PATCH"))
  .use("/:id", allowMethods("GET", "PUT", "PATCH", "DELETE"))

  .get("/", queryParams(ListQuery), async (c) => {
    const query = c.req.valid("query");
    const { orders, total, hasMore, snapshot, timestamp } = await listOrders(open(c), query, pin(c));
    const { limit, offset, before } = query;
    const next_before = (before !== undefined && hasMore && orders.at(-1)?.id) || null;
    const pagination = { limit, offset, total, has_more: hasMore, next_before };
    const count = orders.length;
    c.header("Cache-Control", "no-store");
    return c.json({ success: true as const, data: orders, count, pagination, snapshot, timestamp });
  })

  .get("/stats", async (c) => {
    const { stats, snapshot } = await queries.countOrders(open(c), pin(c));
    c.header("Cache-Control", "no-store");
    return c.json({ success: true as const, data: stats, snapshot });
  })

  .patch("/bulk-status", jsonBody(BulkStatus), async (c) => {
    const { order_ids, status } = c.req.valid("json");
    requireInside(c.get("access").pin, { status }, false);
    const { orders, missing, xid } = await queries.updateStatuses(open(c), order_ids, status, pin(c));
    if (xid === null) {
      throw new Problem("not_found", "None of these orders exists.", {
        issues: [{ field: "order_ids", message: "none of these orders exists" }],
      });
    }
    afterWrite(c);
    const count = orders.length;
    const message = `${count} ${count === 1 ? "order is" : "orders are"} now ${status}`;
    return c.json({ success: true as const, data: orders, count, missing, message, xid });
  })

  .get("/:id", orderParams, async (c) => {
    const { id } = c.req.valid("param");
    const found = await queries.findOrder(open(c), id, pin(c));
    if (!found) throw noOrder(id);
    const { order, snapshot } = found;
    c.header("ETag", etag(order));
    c.header("Cache-Control", "no-cache");
    if (isUnchanged(c.req.header("If-None-Match"), order)) return c.body(null, 304);
    return c.json({ success: true as const, data: order, snapshot });
  })

  .post("/", jsonBody(NewOrder), async (c) => {
    const key = idempotencyKey(c);
    const order = c.req.valid("json");
    requireInside(c.get("access").pin, order, true);
    const created = key ? await createOrderOnce(open(c), order, key) : await createOrder(open(c), order);
    if (created.replayed) c.header("Idempotency-Replayed", "true");
    else afterWrite(c);
    const { id } = created.order;
    c.header("Location", `${c.req.path}/${id}`);
    c.header("ETag", etag(created.order));
    const message = `Order ${id} created`;
    return c.json({ success: true as const, data: created.order, message, xid: created.xid }, 201);
  })

  .put("/:id", orderParams, orderChange, async (c) => {
    const written = await update(c, c.req.valid("param").id, c.req.valid("json"));
    return c.json(written);
  })

  .patch("/:id", orderParams, orderChange, async (c) => {
    const written = await update(c, c.req.valid("param").id, c.req.valid("json"));
    return c.json(written);
  })

  // A body, which some clients send, is not looked at.
  .delete("/:id", orderParams, async (c) => {
    const { id } = c.req.valid("param");
    const versions = versionsOf(c.req.header("If-Match"));
    const { order, xid } = written(id, await queries.deleteOrder(open(c), id, versions, pin(c)));
    afterWrite(c);
    return c.json({ success: true as const, data: order, message: `Order ${id} deleted`, xid });
  });

orders.onError(onError);

async function update(c: Context<AppEnv>, id: number, change: OrderChange) {
  const versions = versionsOf(c.req.header("If-Match"));
  requireInside(c.get("access").pin, change, false);
  const { order, xid } = written(id, await queries.updateOrder(open(c), id, change, versions, pin(c)));
  afterWrite(c);
  c.header("ETag", etag(order));
  return { success: true as const, data: order, message: `Order ${id} updated`, xid };
}

function written(id: number, result: queries.Written | queries.NotWritten): { order: Order; xid: string } {
  if (result === "missing") throw noOrder(id);
  if (result === "changed") {
    throw new Problem(
      "precondition_failed",
      `Order ${id} is not the version that If-Match names: read it again.`,
      {
        issues: [{ field: "If-Match", message: "is not the order's present version" }],
      },
    );
  }
  return result;
}

function noOrder(id: number): Problem {
  const message = `there is no order ${id}`;
  return new Problem("not_found", message, { issues: [{ field: "id", message }] });
}

function pin(c: Context<AppEnv>) {
  return pinParams(c.get("access").pin);
}

function open(c: Context<AppEnv>) {
  return timedDatabase(c, openDatabase(c.env, c.executionCtx));
}

/** Whatever comes of it, the write stands and is answered. */
function afterWrite(c: Context<AppEnv>): void {
  const hook = c.get("afterWrite");
  if (!hook) return;
  c.executionCtx.waitUntil(hook(c.env).catch((error: unknown) => logError("after_write_failed", error)));
}

/** @throws {Problem} when the header is there but is no key. */
function idempotencyKey(c: Context<AppEnv>): string | null {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return null;
  // Of each bearer their own: nobody gets another's answer by using the same key.
  if (/^[\x20-\x7e]{1,255}$/.test(key)) return `${c.get("access").subject ?? ""}\n${key}`;
  const message = "has to be 1 to 255 printable ASCII characters";
  throw new Problem("invalid_header", `Idempotency-Key ${message}.`, {
    issues: [{ field: "Idempotency-Key", message }],
  });
}
