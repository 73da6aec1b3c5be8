/** What every route of the Worker finds in its context. */
import type { Env } from "../env.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: {
    /** Called, outside the answer's way, after each write: nobody has to wait for the outbox to be read. */
    afterWrite?: (env: Env) => Promise<void>;
  };
}
