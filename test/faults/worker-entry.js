/**
 * The Worker as the suite runs it: the real one, whose Hubs can be made to fail or to hang when they are pushed to. Runs
 * in workerd beside the bundle of worker/index.ts, of which it hands on everything else.
 */
import worker, { ChangeLog, Hub as RealHub } from "./index.js";

/** Longer than the log waits for an answer: what hangs is done after all, too late. */
const HANG_MS = 15_000;

let pushes = "work";

export { ChangeLog };

export class Hub extends RealHub {
  async push(batch, status) {
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
