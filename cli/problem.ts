/** What goes wrong between here and the server, in words: what it is, which field, and what to do about it. */
import { CommanderError } from "commander";
import { Declined, EXIT, Interrupted, UsageError } from "./exit.ts";
import type { Paint } from "./paint.ts";
import { printable } from "./text.ts";

export interface Issue {
  readonly field: string;
  readonly message: string;
}

/** An error answer of the API (RFC 9457). */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  readonly code: string;
  readonly issues: readonly Issue[];
  constructor(status: number, code: string, detail: string, issues: readonly Issue[] = []) {
    super(detail);
    this.status = status;
    this.code = code;
    this.issues = issues;
  }
}

/** Nobody answered at the address, or somebody who is not Rowcast. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Where a field of the API is said on the command line. */
const OPTIONS: Readonly<Record<string, string>> = {
  customer_name: "--customer",
  product_name: "--product",
  status: "--status",
  amount: "--amount",
  limit: "--limit",
  offset: "--offset",
  "Idempotency-Key": "--key",
};

const FIXES: Readonly<Record<string, string>> = {
  unauthorized:
    "pass a token with --token or ROWCAST_TOKEN; on your own machine ANONYMOUS=write in .dev.vars",
  token_expired: "get a fresh token, and pass it with --token or ROWCAST_TOKEN",
  forbidden: "use a token whose role allows this",
  outside_pin: "use a token that is not pinned to other orders",
  not_found: "`orders` lists what there is",
  precondition_failed: "look at it again with `show`, then repeat your change",
  idempotency_key_reused: "take a new --key for a new write",
  too_many_requests: "wait a moment, then try again",
  too_many_sockets: "end another client, then try again",
  database_not_configured: "set DATABASE_URL; `npm start` does that by itself",
  database_not_migrated: "run `npm run migrate` against that database",
  database_refused: "look at the Worker's DATABASE_URL, or run `npm run doctor`",
  database_unavailable: "try again in a moment; `npm run doctor` finds out what is wrong",
  database_busy: "try again in a moment",
};

export interface Trouble {
  /** Safe to print. */
  readonly lines: readonly string[];
  readonly exitCode: number;
}

/** What to say of an error and to exit with; null when it is none of those that are expected: a bug. */
export function describeTrouble(error: unknown, paint: Paint): Trouble | null {
  // Commander has said it already.
  if (error instanceof CommanderError) {
    return { lines: [], exitCode: error.exitCode === 0 ? EXIT.ok : EXIT.usage };
  }
  if (error instanceof UsageError) {
    return { lines: [headline(error.message, paint)], exitCode: EXIT.usage };
  }
  if (error instanceof Interrupted) return { lines: ["Stopped."], exitCode: EXIT.interrupted };
  if (error instanceof Declined) return { lines: [printable(error.message)], exitCode: EXIT.refused };
  if (error instanceof Unreachable) {
    const fix = "is it running (`npm start`)? --url or ROWCAST_URL names another address";
    return { lines: [headline(error.message, paint), fixLine(fix, paint)], exitCode: EXIT.unreachable };
  }
  return error instanceof ApiProblem ? describeProblem(error, paint) : null;
}

function describeProblem({ status, code, message, issues }: ApiProblem, paint: Paint): Trouble {
  const fix = FIXES[code];
  const lines = [
    `${headline(message, paint)} ${paint("dim", printable(`(${status} ${code})`))}`,
    // What is wrong with the only field is often all there is to say.
    ...issues
      .filter((issue) => issue.message !== message)
      .map(({ field, message }) => `  ${describeField(field)}: ${printable(message)}`),
    ...(fix === undefined ? [] : [fixLine(fix, paint)]),
  ];
  const isForNow = status === 429 || status >= 500;
  return { lines, exitCode: isForNow ? EXIT.unreachable : EXIT.refused };
}

function describeField(field: string): string {
  const option = Object.hasOwn(OPTIONS, field) ? OPTIONS[field] : undefined;
  const name = field === "" ? "the whole" : printable(field);
  return option === undefined ? name : `${name} (${option})`;
}

function headline(text: string, paint: Paint): string {
  return `${paint("red", "Error:")} ${printable(text)}`;
}

function fixLine(text: string, paint: Paint): string {
  return `  ${paint("bold", "Fix:")} ${text}`;
}
