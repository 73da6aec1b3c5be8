/** History as plain JSON: for scripts, and for clients so far behind that a stream is the wrong way to catch up. */
import { Hono } from "hono";
import * as v from "valibot";
import { SEPARATOR, type Batch } from "./change-log/history.ts";
import { anonymous } from "./access/access.ts";
import type { AppEnv } from "./http/app-env.ts";
import { Problem } from "./http/problem.ts";
import { timing } from "./http/timing.ts";
import { allowMethods, queryParams } from "./http/validation.ts";
import { select, viewOf } from "./hub/selection.ts";
import { changeLog } from "./objects.ts";
import { readStreamAddress } from "./stream/address.ts";
import type { ResetReason } from "../protocol/messages.ts";
import { formatPosition, type Position } from "../protocol/position.ts";

export const MAX_PAGE = 1000;
/** A page ends before this many characters, unless its first change alone is longer. */
const PAGE_CHARS = 2_000_000;

const PageQuery = v.object({
  limit: v.optional(
    v.pipe(
      v.string(),
      v.regex(/^[0-9]{1,4}$/, `limit has to be a number from 1 to ${MAX_PAGE}`),
      v.transform(Number),
      v.minValue(1, `limit has to be a number from 1 to ${MAX_PAGE}`),
      v.maxValue(MAX_PAGE, `limit has to be a number from 1 to ${MAX_PAGE}`),
    ),
    String(MAX_PAGE),
  ),
});

export const changes = new Hono<AppEnv>()
  .use("/", allowMethods("GET"))
  .get("/", queryParams(PageQuery), async (c) => {
    const { since, filter } = readStreamAddress(new URL(c.req.url).searchParams);
    const log = changeLog(c.env);
    if (since === null) {
      const { position } = await timing(c, "log", async () => log.overview());
      return page({ from: position, position, more: false, text: "" }, "no-store");
    }
    const result = await timing(c, "log", async () =>
      log.read(since, PAGE_CHARS, c.req.valid("query").limit),
    );
    if (!result.ok) throw gone(result.reason, result.head);
    const { batch, head } = result;
    const { text } = select(batch, viewOf(c.get("access").pin, filter));
    return page({ ...ends(batch), more: batch.to < head.seq, text }, "no-store");
  })
  .use("/:epoch/:range", allowMethods("GET"))
  .get("/:epoch/:range{[0-9]+-[0-9]+}", async (c) => {
    const [from = 0, to = 0] = c.req.param("range").split("-").map(Number);
    if (to <= from || to - from > MAX_PAGE) {
      throw new Problem(
        "invalid_query",
        `A page is <epoch>/<from>-<to>, from smaller than to, at most ${MAX_PAGE} apart.`,
      );
    }
    if (c.get("access").pin !== null) {
      throw new Problem(
        "forbidden",
        "Pages by number are the same for everybody: with this token read ?since=.",
      );
    }
    const result = await changeLog(c.env).read(
      { epoch: c.req.param("epoch"), seq: from },
      Number.MAX_SAFE_INTEGER,
      to - from,
    );
    if (!result.ok) throw gone(result.reason, result.head);
    if (result.batch.to < to) throw new Problem("not_found", `The log has not reached ${to} yet.`);
    // What is numbered never changes: every cache on the way may keep it for as long as it likes.
    return page(
      { ...ends(result.batch), more: to < result.head.seq, text: result.batch.text },
      // But who may read it is for the token to say, unless everybody may.
      `${anonymous(c.env).role === "none" ? "private" : "public"}, max-age=31536000, immutable`,
    );
  });

function ends(batch: Batch): { from: string; position: string } {
  const { epoch, from, to } = batch;
  return { from: formatPosition({ epoch, seq: from }), position: formatPosition({ epoch, seq: to }) };
}

/** The changes go out in the text in which the log holds them. */
function page(
  { from, position, more, text }: { from: string; position: string; more: boolean; text: string },
  cacheControl: string,
): Response {
  const body = `{"success":true,"from":"${from}","position":"${position}","more":${more},"changes":[${text.replaceAll(SEPARATOR, ",")}]}`;
  return new Response(body, {
    headers: { "Content-Type": "application/json", "Cache-Control": cacheControl },
  });
}

function gone(reason: ResetReason, head: Position): Problem {
  const position = formatPosition(head);
  return new Problem(
    "history_gone",
    `History does not reach that position (${reason}): reload, then go on from ${position}.`,
    {
      members: { reset: { reason, position } },
    },
  );
}
