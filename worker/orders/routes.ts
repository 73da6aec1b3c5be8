/**
 * `/api/orders`: the routes. What they take is in schemas.ts, what they ask of Postgres in list.ts, queries.ts and writes.ts.
 */
import { type Context, Hono } from "hono";
import { openDatabase } from "../database/open.ts";
import type { AppEnv } from "../http/app-env.ts";
import { logError } from "../http/log-error.ts";
import { onError, Problem } from "../http/problem.ts";
import { timedDatabase } from "../http/timing.ts";
import { allowMethods, jsonBody, pathParams, queryParams } from "../http/validation.ts";
import { onceOf } from "./idempotency.ts";
import { listOrders } from "./list.ts";
import { pinParams, requireInside } from "./pin.ts";
import { etag, isUnchanged, versionsOf } from "./preconditions.ts";
import { countOrders, findOrder } from "./queries.ts";
import { BulkStatus, ListQuery, NewOrder, OrderChange, OrderParams } from "./schemas.ts";
import { carryOut, isRefusal, type Refusal, type Write } from "./write.ts";
import { createOrder, deleteOrder, updateOrder, updateStatuses, type WrittenOrder } from "./writes.ts";

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
    const next_before = before !== undefined && hasMore ? (orders.at(-1)?.id ?? null) : null;
    const pagination = { limit, offset, total, has_more: hasMore, next_before };
    const count = orders.length;
    c.header("Cache-Control", "no-store");
    return c.json({ success: true as const, data: orders, count, pagination, snapshot, timestamp });
  })

  .get("/stats", async (c) => {
    const { stats, snapshot } = await countOrders(open(c), pin(c));
    c.header("Cache-Control", "no-store");
    return c.json({ success: true as const, data: stats, snapshot });
  })

  .patch("/bulk-status", jsonBody(BulkStatus), async (c) => {
    const { order_ids, status } = c.req.valid("json");
    requireInside(c.get("access").pin, { status }, false);
    const ids = order_ids.toSorted((a, b) => a - b);
    const result = await write(c, updateStatuses(ids, status, pin(c)), ["bulk-status", ids, status]);
    if (isRefusal(result)) {
      throw new Problem("not_found", "None of these orders exists.", {
        issues: [{ field: "order_ids", message: "none of these orders exists" }],
      });
    }
    const { data, missing, xid } = result;
    const message = `${data.length} ${data.length === 1 ? "order is" : "orders are"} now ${status}`;
    return c.json({ success: true as const, data, count: data.length, missing, message, xid });
  })

  .get("/:id", orderParams, async (c) => {
    const { id } = c.req.valid("param");
    const found = await findOrder(open(c), id, pin(c));
    if (!found) throw noOrder(id);
    const { order, snapshot } = found;
    c.header("ETag", etag(order));
    c.header("Cache-Control", "no-cache");
    if (isUnchanged(c.req.header("If-None-Match"), order)) return c.body(null, 304);
    return c.json({ success: true as const, data: order, snapshot });
  })

  .post("/", jsonBody(NewOrder), async (c) => {
    const order = c.req.valid("json");
    requireInside(c.get("access").pin, order, true);
    const { customer_name, product_name, status, amount } = order;
    const meaning = ["create", customer_name, product_name, status, amount];
    const result = await write(c, createOrder(order), meaning);
    if (isRefusal(result)) throw new Error("an insert gave no row");
    const { id } = result.data;
    c.header("Location", `${c.req.path}/${id}`);
    return c.json(answer(c, result, `Order ${id} created`), 201);
  })

  .put("/:id", orderParams, orderChange, async (c) =>
    c.json(await update(c, c.req.valid("param").id, c.req.valid("json"))),
  )

  .patch("/:id", orderParams, orderChange, async (c) =>
    c.json(await update(c, c.req.valid("param").id, c.req.valid("json"))),
  )

  // A body, which some clients send, is not looked at.
  .delete("/:id", orderParams, async (c) => {
    const { id } = c.req.valid("param");
    const versions = versionsOf(c.req.header("If-Match"));
    const { data, xid } = written(id, await write(c, deleteOrder(id, versions, pin(c)), ["order", id]));
    return c.json({ success: true as const, data, message: `Order ${id} deleted`, xid });
  });

orders.onError(onError);

async function update(c: Context<AppEnv>, id: number, change: OrderChange) {
  const versions = versionsOf(c.req.header("If-Match"));
  requireInside(c.get("access").pin, change, false);
  const result = await write(c, updateOrder(id, change, versions, pin(c)), ["order", id, change]);
  return answer(c, written(id, result), `Order ${id} updated`);
}

/** Carries it out, once for all requests with the same Idempotency-Key. `meaning`: what is asked, the method aside. */
async function write<Answer>(
  c: Context<AppEnv>,
  statement: Write<Answer>,
  meaning: readonly unknown[],
): Promise<Answer | Refusal> {
  const once = await onceOf(c.req.header("Idempotency-Key"), c.get("access"), [c.req.method, ...meaning]);
  const done = await carryOut(open(c), statement, once);
  if (isRefusal(done)) return done;
  if (done.replayed) c.header("Idempotency-Replayed", "true");
  else afterWrite(c);
  return done.answer;
}

function answer(c: Context<AppEnv>, { data, xid }: WrittenOrder, message: string) {
  c.header("ETag", etag(data));
  return { success: true as const, data, message, xid };
}

function written(id: number, result: WrittenOrder | Refusal): WrittenOrder {
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
