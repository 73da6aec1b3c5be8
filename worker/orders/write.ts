/**
 * The rule of every write: with an Idempotency-Key it is carried out once, and whoever repeats it gets the first answer.
 *
 * Write, key and answer are one statement: all of it stands or none. A write that is refused keeps nothing, so that it may
 * come again with the same key.
 */
import { parseExact } from "../../protocol/exact-json.ts";
import type { Database } from "../database/database.ts";
import { DatabaseError } from "../database/failure.ts";
import { Problem } from "../http/problem.ts";
import type { Once } from "./idempotency.ts";

/** A statement that writes, its answer being shaped like `Answer`. */
export interface Write<Answer> {
  /**
   * Common table expressions, of which the last is called `result` and has one column, `response`: one row with the answer
   * (jsonb) when it was written; one with null when the row is another version than asked for; none when there is no such row.
   *
   * @param allowed a condition that has to be part of the one under which it writes.
   */
  readonly expressions: (allowed: string) => string;
  readonly params: readonly unknown[];
  /** Of the JSON as Postgres wrote it. */
  readonly read: (response: unknown) => Answer;
}

export interface Done<Answer> {
  readonly answer: Answer;
  /** It was carried out for an earlier request with the same key. */
  readonly replayed: boolean;
}

/** Nothing was written: there is no such row, or its version is not one of those that were asked for. */
export type Refusal = "missing" | "changed";

export function isRefusal(result: unknown): result is Refusal {
  return result === "missing" || result === "changed";
}

interface ResultRow {
  readonly response: string | null;
  /** Of the earlier request, when this one is a repetition. */
  readonly fingerprint: string | null;
}

/**
 * Carries out the write; with `once`, one time for all requests that have its key.
 *
 * @throws {Problem} `idempotency_key_reused` when the key belongs to another request.
 */
export async function carryOut<Answer>(
  database: Database,
  write: Write<Answer>,
  once: Once | null,
): Promise<Done<Answer> | Refusal> {
  if (once === null) {
    const rows = await database.query<ResultRow>(
      `with ${write.expressions("true")} select response::text as response, null as fingerprint from result`,
      write.params,
    );
    return toDone(write, rows);
  }
  try {
    const done = await carryOutOnce(database, write, once);
    if (!isRefusal(done)) return done;
  } catch (error) {
    if (!isKeyTaken(error)) throw error;
  }
  // The same key at the same moment may have been first, which that statement did not see when it began: it then waited
  // for the row, and found it changed or gone; or for the key, and was rolled back. By now the answer is there.
  return carryOutOnce(database, write, once);
}

async function carryOutOnce<Answer>(
  database: Database,
  write: Write<Answer>,
  { key, fingerprint }: Once,
): Promise<Done<Answer> | Refusal> {
  const [keyParam, fingerprintParam] = [1, 2].map((n) => `$${write.params.length + n}::text`);
  const isFirst = "not exists (select from earlier)";
  const rows = await database.query<ResultRow>(
    `with earlier as (
       select response, fingerprint from rowcast.idempotency_keys where key = ${keyParam}
     ), ${write.expressions(isFirst)}, kept as (
       insert into rowcast.idempotency_keys (key, fingerprint, response)
       select ${keyParam}, ${fingerprintParam}, response from result where response is not null
     )
     select response::text as response, fingerprint from earlier
     union all
     select response::text, null from result where ${isFirst}`,
    [...write.params, key, fingerprint],
    { repeatable: true }, // the key says whether it was done
  );
  const [row] = rows;
  if (row && row.fingerprint !== null && row.fingerprint !== fingerprint) {
    const message = "belongs to an earlier request, which was another; take a new key for a new request";
    throw new Problem("idempotency_key_reused", `The Idempotency-Key ${message}.`, {
      issues: [{ field: "Idempotency-Key", message }],
    });
  }
  return toDone(write, rows);
}

function toDone<Answer>({ read }: Write<Answer>, [row]: readonly ResultRow[]): Done<Answer> | Refusal {
  if (row === undefined) return "missing";
  if (row.response === null) return "changed";
  return { answer: read(parseExact(row.response)), replayed: row.fingerprint !== null };
}

function isKeyTaken(error: unknown): boolean {
  return (
    error instanceof DatabaseError &&
    error.sqlState === "23505" &&
    error.constraint?.startsWith("idempotency_keys") === true
  );
}
