/** What every route of the Worker finds in its context. */
import type { Access } from "../access/access.ts";
import type { Ticket } from "../access/tickets.ts";
import type { Env } from "../env.ts";

export interface AppEnv {
  Bindings: Env;
  Variables: {
    /** Of `X-Request-Id`, or made up. */
    requestId?: string;
    /** Allows the style sheet within a page (`secureHeaders`); absent where no headers are set. */
    secureHeadersNonce?: string;
    /** Who is asking. */
    access: Access;
    /** What the stream was opened with, if with a ticket. */
    ticket?: Ticket;
    /** Where the time of this request went (timing.ts): names to ms. */
    timings?: Map<string, number>;
    /** Called, outside the answer's way, after each write: nobody has to wait for the outbox to be read. */
    afterWrite?: (env: Env) => Promise<void>;
  };
}
