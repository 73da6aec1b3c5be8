/** The routes of the Worker. */
import { Hono } from "hono";
import { changes } from "./changes.ts";
import { health } from "./health.ts";
import type { AppEnv } from "./http/app-env.ts";
import { docs } from "./http/openapi.ts";
import { notFound, onError } from "./http/problem.ts";
import { ingest } from "./ingest.ts";
import { changeLog } from "./objects.ts";
import { orders } from "./orders/routes.ts";
import { streams } from "./stream/routes.ts";

export const app = new Hono<AppEnv>()
  .use("*", async (c, next) => {
    c.set("afterWrite", async (env) => changeLog(env).wrote());
    await next();
  })
  .route("/", streams)
  .route("/internal", ingest)
  .route("/api/changes", changes)
  .route("/api/orders", orders)
  .route("/orders", orders)
  .route("/health", health)
  .route("/api/health", health)
  .route("/api", docs);

app.onError(onError);
app.notFound(notFound);

export type App = typeof app;
