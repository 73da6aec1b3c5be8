/** What `env` and `exports` of "cloudflare:workers" are in tests that run inside workerd. */
import type { Env as WorkerEnv } from "../../worker/env.ts";
import type * as worker from "../../worker/index.ts";

declare global {
  namespace Cloudflare {
    interface Env extends WorkerEnv {}
    interface GlobalProps {
      mainModule: typeof worker;
    }
  }
}
