/** Postgres over TCP with `pg`, or through Hyperdrive. */
import { Client, DatabaseError as PgError } from "pg";
import { connectionOptions } from "../../protocol/postgres-url.ts";
import { cancel } from "./cancel.ts";
import type { Database, Lifetime, QueryOptions } from "./database.ts";
import { DatabaseError, DatabaseUnavailable } from "./failure.ts";

const CONNECT_TIMEOUT_MS = 5_000;
/** A statement that was cancelled tells so within this. */
const CANCEL_MS = 2_000;

/**
 * A connection for each query, closed behind the answer: in a Worker a socket belongs to the request that opened it, and
 * a client used again by the next one hangs for ever. (Through Hyperdrive it is the local end of a kept pool.)
 *
 * @param timeoutMs a statement that takes longer is cancelled: it holds a connection, and perhaps locks.
 */
export function postgresDatabase(connectionString: string, timeoutMs: number, lifetime?: Lifetime): Database {
  return {
    async query<T>(text: string, params: readonly unknown[] = [], { onSent }: QueryOptions = {}) {
      const client = new Client({
        // No binding to the channel here: a Worker's sockets do not show the server's certificate.
        connectionString: connectionOptions(connectionString).connectionString,
        application_name: "rowcast-worker",
        connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
        query_timeout: timeoutMs + Math.min(CANCEL_MS, timeoutMs),
      });
      if (IN_WORKERD && client.host.includes(":")) bracketHost(client);
      let handshake = false;
      client.connection.once("sslconnect", () => (handshake = true));
      client.connection.once("message", () => (handshake = false));
      // A connection that breaks says so in an event as well as in the query; unheard, it would end the process.
      client.on("error", () => {});
      let sent = false;
      let timer: ReturnType<typeof setTimeout> | undefined;
      try {
        await client.connect();
        sent = true;
        onSent?.();
        timer = setTimeout(() => {
          const cancelled = cancel(client);
          lifetime?.waitUntil(cancelled);
        }, timeoutMs);
        const { rows } = await client.query(text, [...params]);
        return rows as T[];
      } catch (error) {
        throw handshake ? tlsFailure(error) : toFailure(error, sent);
      } finally {
        clearTimeout(timer);
        // Whatever closing brings, the answer is there or the error is known.
        const closed = client.end().catch(() => {});
        lifetime?.waitUntil(closed);
      }
    },
  };
}

const IN_WORKERD = navigator.userAgent === "Cloudflare-Workers";

/** The socket of a Worker takes host and port as one text; for TLS it has to be told the address without its brackets. */
function bracketHost(client: Client): void {
  const { host, connection } = client;
  const { ssl } = connection as unknown as { ssl: object | boolean };
  client.host = `[${host}]`;
  if (ssl) Object.assign(connection, { ssl: { ...(ssl === true ? {} : ssl), expectedServerHostname: host } });
}

/** The runtime tells a Worker no more of a certificate that it does not like than "internal error". */
function tlsFailure(cause: unknown): DatabaseUnavailable {
  return new DatabaseUnavailable(
    "the TLS handshake with the database failed: its certificate has to name the host in DATABASE_URL and to come from " +
      "a public authority, whatever sslmode says; for one of your own, bind Hyperdrive (docs/configuration.md)",
    { sent: false, cause },
  );
}

function toFailure(error: unknown, sent: boolean): Error {
  if (error instanceof PgError) {
    const { message, code, constraint, column } = error;
    return new DatabaseError(message, { sqlState: code ?? "", constraint, column, cause: error });
  }
  // Everything else on this way is the connection's: refused, reset, timed out, closed. Each runtime words it its own way.
  return new DatabaseUnavailable(error instanceof Error ? error.message : String(error), {
    sent,
    cause: error,
  });
}
