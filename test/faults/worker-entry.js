/**
 * The Worker as the suite runs it: the real one, whose Hubs can be made to fail or to hang when they are pushed to, and whose
 * objects can be made to lie as far from each other as their regions do. Runs in workerd beside the bundle of
 * worker/index.ts, of which it hands on everything else.
 */
import worker, { ChangeLog as RealChangeLog, Hub as RealHub } from "./index.js";

/**
 * Round trips from `enam`, where the log is, in ms: of the order that public tables of cloud regions show (cloudping.co), in
 * round figures. Within a region it is 2.
 */
const ROUND_TRIP_MS = {
  enam: 2,
  wnam: 65,
  sam: 115,
  weur: 80,
  eeur: 110,
  apac: 160,
  oc: 200,
  afr: 225,
  me: 185,
};
const IN_REGION_MS = 2;
/** Reads do not say who asks. */
const READ_MS = 100;

/** Runs `call` as far away as that: half of the way there, half of it back. */
async function away(env, ms, call) {
  if (env.SUITE_DISTANCES !== "true") return call();
  await new Promise((resolve) => setTimeout(resolve, ms / 2));
  const answer = await call();
  await new Promise((resolve) => setTimeout(resolve, ms / 2));
  return answer;
}

const regionIn = (name) => name.split(/[:/]/)[0];

/** Longer than the log waits for an answer: what hangs is done after all, too late. */
const HANG_MS = 15_000;

let pushes = "work";

export class ChangeLog extends RealChangeLog {
  join(name, report) {
    return away(this.env, ROUND_TRIP_MS[regionIn(name)], () => super.join(name, report));
  }
  read(since, maxChars, maxChanges) {
    return away(this.env, READ_MS, () => super.read(since, maxChars, maxChanges));
  }
}

export class Hub extends RealHub {
  push(batch, status) {
    const { name } = this.ctx.id;
    const region = regionIn(name);
    // A hub that holds sockets is handed on to within its region, where the region is that large.
    const isLower = !name.includes("/") && (status.plan?.[region]?.shards ?? 1) > 3;
    const ms = isLower ? IN_REGION_MS : ROUND_TRIP_MS[region];
    return away(this.env, ms, () => this.#push(batch, status));
  }
  read(since, maxChars) {
    return away(this.env, IN_REGION_MS, () => super.read(since, maxChars));
  }
  async #push(batch, status) {
    if (pushes === "fail") throw new Error("the suite lets pushes fail");
    if (pushes === "hang") await new Promise((resolve) => setTimeout(resolve, HANG_MS));
    return super.push(batch, status);
  }
}

export default {
  fetch(request, env, ctx) {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname !== "/suite/pushes") return worker.fetch(request, env, ctx);
    pushes = searchParams.get("should") ?? "work";
    return new Response(pushes);
  },
};
