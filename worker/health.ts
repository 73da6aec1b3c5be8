/** `/health`: whether this deployment works, cheaply; it does not touch the database. */
import { Hono } from "hono";
import { PROTOCOL_VERSION } from "../protocol/version.ts";
import type { AppEnv } from "./http/app-env.ts";
import { allowMethods } from "./http/validation.ts";
import { changeLog } from "./objects.ts";

export const health = new Hono<AppEnv>().use("/", allowMethods("GET")).get("/", async (c) => {
  const { connectedClients, listener, lagMs, position } = await changeLog(c.env).overview();
  const status = listener === "down" ? "degraded" : "ok";
  const body = {
    status,
    timestamp: new Date().toISOString(),
    connectedClients,
    listener,
    lagMs,
    position,
    protocol: PROTOCOL_VERSION,
  };
  return c.json(body, 200, { "Cache-Control": "no-store" });
});
