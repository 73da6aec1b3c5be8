/** The routes of the Worker. */
import { Hono } from "hono";
import { requestId } from "hono/request-id";
import { authenticate, roleByMethod } from "./access/authenticate.ts";
import { tickets } from "./access/routes.ts";
import { changes } from "./changes.ts";
import { health } from "./health.ts";
import type { AppEnv } from "./http/app-env.ts";
import { headers, limits, named, sites, unlessUpgraded } from "./http/guard.ts";
import { tellMisread } from "./http/misread.ts";
import { timed } from "./http/timing.ts";
import { docs } from "./http/openapi.ts";
import { notFound, onError } from "./http/problem.ts";
import { ingest } from "./ingest.ts";
import { changeLog } from "./objects.ts";
import { orders } from "./orders/routes.ts";
import { probe } from "./probe/routes.ts";
import { status } from "./status.ts";
import { streams } from "./stream/routes.ts";

/** No CORS for WebSockets: their origin is checked before the upgrade. */
const isStream = (path: string): boolean => path === "/ws" || path === "/internal/control";

/** What stands before every route that shows or changes data. */
const guards = [authenticate(), limits, roleByMethod] as const;

export const app = new Hono<AppEnv>()
  .use("*", tellMisread)
  .use("*", requestId())
  .use("*", unlessUpgraded(named))
  .use("*", unlessUpgraded(timed))
  .use("*", unlessUpgraded(headers))
  .use("*", (c, next) => (isStream(c.req.path) ? next() : sites(c, next)))
  .use("*", async (c, next) => {
    c.set("afterWrite", async (env) => changeLog(env).wrote());
    await next();
  })
  .route("/", streams)
  .route("/internal", ingest)
  .route("/api/ticket", tickets)
  .use("/api/changes/*", ...guards)
  .route("/api/changes", changes)
  .use("/api/orders/*", ...guards)
  .use("/orders/*", ...guards)
  .route("/api/orders", orders)
  .route("/orders", orders)
  .use("/api/status", ...guards)
  .route("/api/status", status)
  .use("/api/probe", ...guards)
  .route("/api/probe", probe)
  .route("/health", health)
  .route("/api/health", health)
  .route("/api", docs);

app.onError(onError);
app.notFound(notFound);

export type App = typeof app;
