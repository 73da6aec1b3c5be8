/** What the Worker is given: wrangler.toml names the bindings, .dev.vars.example explains the variables. */
import type { ChangeLog } from "./change-log/change-log.ts";
import type { Hub } from "./hub/hub.ts";

export interface Env {
  CHANGE_LOG: DurableObjectNamespace<ChangeLog>;
  HUB: DurableObjectNamespace<Hub>;

  /** Postgres: a Neon host is spoken to over HTTP, every other over TCP. */
  DATABASE_URL?: string;
  /** When bound, Postgres is reached through Hyperdrive instead. */
  HYPERDRIVE?: Hyperdrive;
  /** Development and tests only: where Neon's SQL-over-HTTP endpoint is played. */
  NEON_FETCH_ENDPOINT?: string;

  /** What the listener shows at /internal; the second is accepted too while secrets are rotated. */
  INGEST_SECRET: string;
  INGEST_SECRET_PREVIOUS?: string;

  /** History kept for clients that come back: changes, and milliseconds. */
  HISTORY_MAX_CHANGES?: string;
  HISTORY_MAX_AGE_MS?: string;
  /** With clients watching and no listener heard for this long, the ChangeLog reads the outbox itself. */
  FALLBACK_AFTER_MS?: string;
  /** A location hint near the database: where the ChangeLog is created. Only the first use counts. */
  CHANGE_LOG_LOCATION?: string;
  /** Hubs per region; clients are spread over them. */
  HUB_SHARDS?: string;
  /** "true" where `?region=` and `?shard=` may choose the hub: on a laptop every request comes from one region. */
  ALLOW_HUB_OVERRIDE?: string;
}
