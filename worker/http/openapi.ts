/** `/api/openapi.json`, `/api/asyncapi.json` and `/api/docs`: the descriptions for programs and for people. */
import { Hono } from "hono";
import type { AppEnv } from "./app-env.ts";
import { asyncApiDocument } from "./asyncapi.ts";
import { docsPage } from "./docs-page.ts";
import { openApiDocument } from "./openapi-document.ts";

/** Mounted at /api. */
export const docs = new Hono<AppEnv>()
  .get("/openapi.json", (c) => c.json(openApiDocument()))
  .get("/asyncapi.json", (c) => c.json(asyncApiDocument()))
  .get("/docs", (c) => c.html(docsPage(c.get("secureHeadersNonce"))));
