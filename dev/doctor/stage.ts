/** What the checks share: what they look at, and what earlier ones have found. */
import { Client } from "pg";
import { connectionOptions } from "../../protocol/postgres-url.ts";
import type { ClockReading } from "./clocks.ts";
import type { Settings } from "./settings.ts";

/** Nothing is waited for longer than this; a compute that sleeps needs a while. */
export const PATIENCE_MS = 10_000;

/** What `/health` says, as far as it is looked at. */
export interface Health {
  readonly status: string;
  readonly timestamp: string;
  readonly listener: string;
  readonly protocol: number;
  readonly connectedClients: number;
}

export class Stage {
  readonly settings: Settings;
  /** ms since 1970, by this machine's clock. */
  readonly now: () => number;
  health: Health | null = null;
  /** How far other clocks are ahead of this machine's, by the name of whose they are. */
  readonly clocks = new Map<string, ClockReading>();
  #client: Client | null = null;

  constructor(settings: Settings, now: () => number = Date.now) {
    this.settings = settings;
    this.now = now;
  }

  /** A session of its own in the database, opened at the first call. */
  async database(): Promise<Client> {
    if (this.#client !== null) return this.#client;
    const client = new Client({
      ...connectionOptions(this.settings.databaseUrl.value),
      application_name: "rowcast doctor",
      connectionTimeoutMillis: PATIENCE_MS,
      query_timeout: PATIENCE_MS,
    });
    client.on("error", () => undefined); // The next query fails with it, and tells.
    await client.connect();
    this.#client = client;
    return client;
  }

  async query<Row extends object>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    return (await (await this.database()).query<Row>(text, [...values])).rows;
  }

  /** Asks the Worker; the answer's body is read, whatever it is. */
  async ask(
    path: string,
    init: { method?: string; headers?: Record<string, string>; body?: string; patienceMs?: number } = {},
  ): Promise<{ status: number; body: unknown }> {
    const { patienceMs = PATIENCE_MS, ...rest } = init;
    const response = await fetch(new URL(path, this.settings.workerUrl.value), {
      ...rest,
      redirect: "manual", // A secret is not carried to an address that nobody has named.
      signal: AbortSignal.timeout(patienceMs),
    });
    const text = await response.text();
    return { status: response.status, body: parseJson(text) };
  }

  /** The header that says who we are; none for nobody. */
  get authorization(): Record<string, string> {
    const { token } = this.settings;
    return token === null ? {} : { Authorization: `Bearer ${token}` };
  }

  async close(): Promise<void> {
    await this.#client?.end().catch(() => undefined);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // a page of something in between
  }
}

/** The detail of an RFC 9457 problem, else the status. */
export function describeAnswer({ status, body }: { status: number; body: unknown }): string {
  const { detail } = (body ?? {}) as { detail?: unknown };
  return typeof detail === "string" ? `${status}: ${detail}` : `it answers ${status}`;
}
