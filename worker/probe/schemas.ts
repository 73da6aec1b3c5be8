/** What a probe takes and answers. */
import * as v from "valibot";
import { Xid } from "../../protocol/change.ts";
import { HOPS } from "./hops.ts";

export const DEFAULT_WAIT_MS = 10_000;
export const MAX_WAIT_MS = 30_000;

const range = `wait_ms has to be a whole number from 0 to ${MAX_WAIT_MS}`;

export const ProbeQuery = v.object({
  wait_ms: v.optional(
    v.pipe(v.string(), v.regex(/^[0-9]{1,5}$/, range), v.transform(Number), v.maxValue(MAX_WAIT_MS, range)),
    String(DEFAULT_WAIT_MS),
  ),
});

const Ms = v.pipe(v.number(), v.minValue(0));

const Clock = v.object({
  offset_ms: v.pipe(v.number(), v.description("How far it is ahead of the Worker's; negative: behind")),
  uncertainty_ms: v.pipe(Ms, v.description("Half of the round trip in which it was asked")),
});

const Hops = v.pipe(
  v.array(v.object({ hop: v.picklist(HOPS), ms: Ms })),
  v.description(
    "In order, their sum is total_ms. database: from the Worker until the row was written; outbox: until it was committed " +
      "and read (missing with a listener that does not say when it read: then counted with the next); listener: until the " +
      "log had stored it; log: until a hub had sent it; hub: from there to the Worker, a client at the caller's hub",
  ),
);

export const ProbeBody = v.object({
  success: v.literal(true),
  probe: v.object({
    id: v.pipe(v.string(), v.description("In the row, as `token`")),
    xid: v.pipe(
      Xid,
      v.description("Of the change, as it comes over every stream that is not told otherwise"),
    ),
    table: v.literal("rowcast.probes"),
    position: v.pipe(v.string(), v.description("Of the change")),
    carrier: v.pipe(
      v.nullable(v.picklist(["listener", "log"])),
      v.description("Who read the outbox: a listener, or the log itself, as it does when there is none"),
    ),
    hub: v.pipe(v.string(), v.description("The caller's: region and shard")),
    total_ms: Ms,
    hops: Hops,
    clocks: v.object({ database: Clock, log: Clock }),
  }),
});
export type ProbeBody = v.InferOutput<typeof ProbeBody>;
