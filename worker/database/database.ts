/** The Worker's way to Postgres: one small interface, one adapter a file, chosen in open.ts. */
export interface Database {
  /**
   * Runs one statement in a transaction of its own. Columns must be text, jsonb cast to text or int4: these every driver
   * gives back alike.
   *
   * @param params values for $1, $2, …: strings, numbers, null, arrays of these.
   * @param options what the statement allows.
   * @throws {DatabaseError} when Postgres refuses it, {DatabaseUnavailable} when no answer comes.
   */
  query<T>(text: string, params?: readonly unknown[], options?: QueryOptions): Promise<T[]>;
}

export interface QueryOptions {
  /** Carrying it out twice is the same as once: it reads, or keeps by itself that it was done (retry.ts). */
  readonly repeatable?: boolean;
  /** Called when the statement goes out, the connection being there as far as the driver knows; again at each try. */
  readonly onSent?: () => void;
}

/** What is needed of an `ExecutionContext` or a `DurableObjectState`: connections are closed behind the answer. */
export interface Lifetime {
  waitUntil(promise: Promise<unknown>): void;
}
