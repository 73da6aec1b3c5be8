/** `POST /api/ticket`: a token in a header becomes a ticket that fits into the address of a stream. */
import { Hono } from "hono";
import type { AppEnv } from "../http/app-env.ts";
import { arrivals, arrivalsOfToken } from "../http/guard.ts";
import { allowMethods } from "../http/validation.ts";
import { chooseHub } from "../stream/address.ts";
import { requireRole } from "./access.ts";
import { authenticate } from "./authenticate.ts";
import { mintTicket } from "./tickets.ts";

export const tickets = new Hono<AppEnv>()
  .use("/", allowMethods("POST"), arrivals, authenticate(), arrivalsOfToken)
  .post("/", async (c) => {
    const access = c.get("access");
    requireRole(access, "read");
    const cf = c.req.raw.cf as IncomingRequestCfProperties | undefined;
    const { name: hub } = chooseHub(c.env, cf, new URL(c.req.url).searchParams);
    const { text, expiresAt } = await mintTicket(c.env, access, hub);
    c.header("Cache-Control", "no-store");
    return c.json(
      { success: true as const, ticket: text, expires_at: new Date(expiresAt).toISOString() },
      201,
    );
  });
