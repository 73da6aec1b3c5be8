/**
 * `/internal/changes`: where the listener asks how far the log is, and brings what came since. `/internal/control`: the
 * socket over which it is woken.
 */
import { Hono } from "hono";
import type * as v from "valibot";
import { parseExact } from "../protocol/exact-json.ts";
import { AppendRequest } from "../protocol/ingest.ts";
import { encodeChange, lastOf } from "./change-log/outbox.ts";
import type { AppEnv } from "./http/app-env.ts";
import { readText } from "./http/body.ts";
import { Problem } from "./http/problem.ts";
import { allowMethods, check, requireUpgrade } from "./http/validation.ts";
import { changeLog } from "./objects.ts";
import { requireIngestSecret } from "./secrets.ts";

/** A batch is stored as one row, and a row holds 2 MB. */
const MAX_BATCH_BYTES = 1_900_000;
/** Numbers and separators that the log adds, a change. */
const BYTES_A_CHANGE = 24;

export const ingest = new Hono<AppEnv>()
  .use("/changes", allowMethods("GET", "POST"))
  .use("/control", allowMethods("GET"))
  .use("*", async (c, next) => {
    await requireIngestSecret(c.env, c.req.header("Authorization"));
    await next();
  })
  .get("/control", requireUpgrade("This is a WebSocket, and the listener's."), async (c) =>
    changeLog(c.env).fetch("https://log/", { headers: { Upgrade: "websocket" } }),
  )
  .get("/changes", async (c) => c.json(await changeLog(c.env).state()))
  .post("/changes", async (c) => {
    const request = parseRequest(await readText(c.req.raw, 2 * MAX_BATCH_BYTES));
    const changes = request.changes.map(encodeChange);
    const bytes = new TextEncoder().encode(changes.join("")).byteLength + changes.length * BYTES_A_CHANGE;
    if (bytes > MAX_BATCH_BYTES) {
      throw new Problem(
        "body_too_large",
        `A batch may hold ${MAX_BATCH_BYTES} bytes, this one has ${bytes}: read fewer changes.`,
      );
    }
    const { source, from, to, readAt, restart } = request;
    const { stored, state } = await changeLog(c.env).append({
      source,
      from,
      to,
      readAt,
      restart,
      changes,
      last: lastOf(request.changes),
    });
    if (stored) return c.json(state);
    throw new Problem(
      "cursor_moved",
      "The batch does not begin at the stored cursor: go on from the one given here.",
      {
        members: { ...state },
      },
    );
  });

function parseRequest(text: string): AppendRequest {
  let value: unknown;
  try {
    value = parseExact(text);
  } catch {
    throw new Problem("invalid_json", "The body is not JSON."); // the error would quote rows
  }
  const schema: v.GenericSchema<unknown, AppendRequest> = AppendRequest;
  return check(schema, value, "invalid_body");
}
