/** Nothing listens at the server's address. */
const REFUSED = "ECONNREFUSED";
/** "the database system is starting up", or shutting down, or recovering. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const CANNOT_CONNECT_NOW = "57P03";

/**
 * Whether an error of connecting says that Postgres is not there yet: then asking again soon burdens nobody, as nothing was
 * begun for us, while a server that is overloaded, or a wrong password, is asked ever more rarely.
 */
export function isAway(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as { code?: unknown };
    if (code === REFUSED || code === CANNOT_CONNECT_NOW) return true;
  }
  return false;
}
