/**
 * A stand-in for a compute of Neon's, in front of a real Postgres: every byte goes through as it is. What it plays is the
 * sleep. It suspends by Neon's own rule (compute_tools/src/monitor.rs): looked at every 500 ms, activity is a client
 * backend that is not idle, or else the newest `state_change` of an idle one; its own look does not count, and neither
 * do connections past it. Sessions then end with 57P01, and the next connection waits until it has woken.
 *
 * What it does not play: the proxy's errors while it wakes (test/support/neon-endpoint.ts does), and the real delays.
 */
import { EventEmitter, once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { Client } from "pg";

export interface ComputeOptions {
  /** The real Postgres, as a superuser. */
  readonly postgresUrl: string;
  /** Without activity for so long it suspends; Neon's is 5 minutes. */
  readonly suspendAfterMs: number;
  /** From the first connection until it takes it. */
  readonly wakeMs: number;
  /** Between two looks; Neon's is 500. */
  readonly lookEveryMs?: number;
}

export interface Compute {
  /** An address of the same Postgres, through the compute. */
  through(url: string): string;
  readonly awake: boolean;
  /** How long it was awake since the start, in ms: what Neon bills. */
  readonly awakeMs: number;
  /** How often it suspended. */
  readonly suspensions: number;
  /** At once, whatever is going on: as for maintenance. */
  suspend(): Promise<void>;
  /** Resolves when it suspends the next time; at once when it is suspended. */
  untilSuspended(): Promise<void>;
  /** Resolves when it has woken; at once when it is awake. */
  untilAwake(): Promise<void>;
  close(): Promise<void>;
}

interface Session {
  readonly client: Socket;
  readonly server: Socket;
}

export async function startCompute(options: ComputeOptions): Promise<Compute> {
  const { postgresUrl, suspendAfterMs, wakeMs, lookEveryMs = 500 } = options;
  const target = new URL(postgresUrl);
  const monitor = new Client({ connectionString: postgresUrl });
  monitor.on("error", () => undefined); // Postgres is stopped before us: nothing is left to look at
  await monitor.connect();
  const news = new EventEmitter();
  const sessions = new Set<Session>();
  let awakeSince: number | null = Date.now();
  let waking: Promise<void> | null = null;
  let awakeBefore = 0;
  let suspensions = 0;
  let activeAt = Date.now();

  const server = createServer((client) => {
    client.on("error", () => client.destroy());
    void wake().then(() => pass(client));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  function wake(): Promise<void> {
    if (awakeSince === null) {
      awakeSince = Date.now();
      waking = new Promise((resolve) => {
        setTimeout(() => {
          waking = null;
          activeAt = Date.now();
          resolve();
          news.emit("awake");
        }, wakeMs);
      });
    }
    return waking ?? Promise.resolve();
  }

  function pass(client: Socket): void {
    if (client.destroyed) return;
    const server = connect(Number(target.port), target.hostname);
    const session = { client, server };
    sessions.add(session);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sessions.delete(session);
        to.end();
      });
    }
  }

  /** The ports by which Postgres knows the sessions that come through here. */
  const ports = (): number[] =>
    [...sessions].map(({ server }) => server.localPort).filter((port) => port !== undefined);

  async function look(): Promise<void> {
    if (awakeSince === null || waking !== null) return;
    const { rows } = await monitor.query<{ busy: boolean | null; changed: number | null }>(
      `SELECT bool_or(state <> 'idle') AS busy, (extract(epoch FROM max(state_change)) * 1000)::float8 AS changed
         FROM pg_stat_activity WHERE backend_type = 'client backend' AND client_port = ANY ($1)`,
      [ports()],
    );
    const [{ busy, changed } = { busy: null, changed: null }] = rows;
    activeAt = busy === true ? Date.now() : Math.max(activeAt, changed ?? 0);
    if (Date.now() - activeAt >= suspendAfterMs) await suspend();
  }

  async function suspend(): Promise<void> {
    if (awakeSince === null) return;
    awakeBefore += Date.now() - awakeSince;
    awakeSince = null;
    suspensions += 1;
    await monitor.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE client_port = ANY ($1) AND pid <> pg_backend_pid()",
      [ports()],
    );
    news.emit("suspended");
  }

  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look).catch((error: unknown) => void news.emit("error", error));
  }, lookEveryMs);

  return {
    through(url) {
      const address = new URL(url);
      address.hostname = "127.0.0.1";
      address.port = String((server.address() as AddressInfo).port);
      return address.href;
    },
    get awake() {
      return awakeSince !== null && waking === null;
    },
    get awakeMs() {
      return awakeBefore + (awakeSince === null ? 0 : Date.now() - awakeSince);
    },
    get suspensions() {
      return suspensions;
    },
    suspend,
    async untilSuspended() {
      if (awakeSince !== null) await once(news, "suspended");
    },
    async untilAwake() {
      if (awakeSince === null || waking !== null) await once(news, "awake");
    },
    async close() {
      clearInterval(timer);
      await looking;
      server.close();
      for (const { client, server } of sessions) {
        client.destroy();
        server.destroy();
      }
      await monitor.end();
    },
  };
}
