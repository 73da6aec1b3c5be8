/** Neon's SQL over HTTP: no connection to open, and the request itself wakes a suspended compute. */
import { neon, neonConfig, NeonDbError } from "@neondatabase/serverless";
import type { Database, QueryOptions } from "./database.ts";
import { DatabaseError, DatabaseUnavailable } from "./failure.ts";

const NEON_ENDPOINT = neonConfig.fetchEndpoint;

/**
 * @param timeoutMs a statement that takes longer is given up: Neon's proxy cancels what nobody waits for.
 * @param fetchEndpoint where the endpoint is played, in development and tests; Neon's own when not given.
 */
export function neonDatabase(connectionString: string, timeoutMs: number, fetchEndpoint?: string): Database {
  const sql = neon(connectionString);
  return {
    async query<T>(text: string, params: readonly unknown[] = [], { onSent }: QueryOptions = {}) {
      // The setting is global to the driver, so it is set each time: what one environment chose must not reach another.
      neonConfig.fetchEndpoint = fetchEndpoint ?? NEON_ENDPOINT;
      try {
        // The signal belongs to this call: one given to `neon()` would, once aborted, abort every later query.
        const fetchOptions = { signal: AbortSignal.timeout(timeoutMs) };
        onSent?.();
        return (await sql.query(text, [...params], { fetchOptions })) as T[];
      } catch (error) {
        throw toFailure(error);
      }
    },
  };
}

function toFailure(error: unknown): Error {
  // Only what Postgres itself answered has an SQLSTATE; the proxy ("Control plane request failed", "Couldn't connect to
  // compute node", too large), a failed fetch and a timeout have none.
  if (error instanceof NeonDbError && error.code) {
    const { message, code, constraint, column } = error;
    return new DatabaseError(message, { sqlState: code, constraint, column, cause: error });
  }
  // The answer is too large for the proxy: the next one will be too.
  if (error instanceof NeonDbError && error.message.includes("HTTP status 507"))
    return new DatabaseError(error.message, { sqlState: "54000", cause: error });
  const message = error instanceof Error ? error.message : String(error);
  return new DatabaseUnavailable(message, { sent: !NOT_SENT.test(message), cause: error });
}

/** What Neon's proxy says when it got no compute to give the statement to. */
const NOT_SENT =
  /Control plane request failed|Couldn't connect to compute node|endpoint is idle|timed out while waiting for endpoint/i;
