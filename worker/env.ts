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
  /** A query that fails for now is tried again for so long, in ms; 8000 unless set. */
  DATABASE_PATIENCE_MS?: string;
  /** A statement that takes longer is cancelled, in ms; 15000 unless set. */
  DATABASE_TIMEOUT_MS?: string;
  /** Development and tests only: where Neon's SQL-over-HTTP endpoint is played. */
  NEON_FETCH_ENDPOINT?: string;

  /** What the listener shows at /internal; the second is accepted too while secrets are rotated. */
  INGEST_SECRET: string;
  INGEST_SECRET_PREVIOUS?: string;

  /** What somebody without a token may do: none, read or write. Anything else is none. */
  ANONYMOUS?: string;
  /** Tokens signed with a shared secret (HS256); the second is accepted too while secrets are rotated. */
  JWT_SECRET?: string;
  JWT_SECRET_PREVIOUS?: string;
  /** Tokens signed with a private key: where the public ones are. */
  JWT_JWKS_URL?: string;
  /** When set, `iss` and `aud` of every token have to be these. */
  JWT_ISSUER?: string;
  JWT_AUDIENCE?: string;
  /** Pages of these origins may use the API from a browser, separated by commas; `*` for all. Its own always may. */
  ALLOWED_ORIGINS?: string;
  /** Streams that one address, and one token (its subject, if it has one), may hold at a hub; 0 for any number. */
  MAX_SOCKETS_PER_ADDRESS?: string;
  MAX_SOCKETS_PER_TOKEN?: string;
  /** "off" lifts the rate limits: on a laptop everything comes from one address. */
  RATE_LIMITS?: string;
  /** Requests an address or token may make: 429 beyond. Not bound, not limited. */
  READ_LIMIT?: RateLimit;
  WRITE_LIMIT?: RateLimit;
  /** The same of streams, and of tickets for them: by address, and by token. */
  CONNECT_LIMIT?: RateLimit;
  /** Workers Analytics Engine, when bound (analytics.ts): a point for each batch and each connection. */
  ANALYTICS?: AnalyticsEngineDataset;
  /** Which version of the Worker runs, for /api/status. */
  CF_VERSION_METADATA?: WorkerVersionMetadata;
  /** "all": a log line for each request of the API; otherwise only for slow ones, and for errors. */
  LOG_REQUESTS?: string;
  /** History kept for clients that come back: changes, and milliseconds. */
  HISTORY_MAX_CHANGES?: string;
  HISTORY_MAX_AGE_MS?: string;
  /** With clients watching and no listener heard for this long, the ChangeLog reads the outbox itself. */
  FALLBACK_AFTER_MS?: string;
  /** A location hint near the database: where the ChangeLog is created. Only the first use counts. */
  CHANGE_LOG_LOCATION?: string;
  /** Hubs that a region has at least; clients are spread over them. 1 unless set: a region grows and shrinks by itself. */
  HUB_SHARDS?: string;
  /** Sockets that a hub is meant to hold; 4000 unless set. Where its hubs are fuller, a region gets more of them. */
  HUB_SOCKETS?: string;
  /** A hub is pushed to at most this often, in ms; 8 unless set. Each push is billed: many hubs and busy tables want 50 or more. */
  PUSH_EVERY_MS?: string;
  /** "eu": every object lives in the European Union. To be set before the first deployment: others are other objects. */
  JURISDICTION?: string;
  /**
   * On a laptop every request comes from one region: "region" lets `?region=` choose another, "true" lets `?shard=` choose
   * the hub as well, and then hubs send nobody elsewhere.
   */
  ALLOW_HUB_OVERRIDE?: string;
}
