/** The way to the ChangeLog: `/internal/changes`, one request and what its answer means. */
import * as http from "node:http";
import * as https from "node:https";
import { text as readText } from "node:stream/consumers";
import * as v from "valibot";
import { LogState } from "../protocol/ingest.ts";

/** What came of a request, in the words of what to do next. */
export type Answer =
  /** 200: done; go on from `state`. */
  | { readonly kind: "accepted"; readonly state: LogState }
  /** 409: the log stands elsewhere (another listener was faster, or it was us before a fault); go on from `state`. */
  | { readonly kind: "conflict"; readonly state: LogState }
  /** 413: send less at once. */
  | { readonly kind: "too large"; readonly reason: string }
  /** Asked again it will be refused again, until someone mends what `reason` names. */
  | { readonly kind: "refused"; readonly reason: string }
  /** Whether it was done is not known, and asking again is harmless. */
  | { readonly kind: "failed"; readonly reason: string };

export interface ChangeLog {
  /** Where the log stands. Never throws: what goes wrong is an answer too. */
  state(signal: AbortSignal): Promise<Answer>;
  /** Append a batch: `body` is the text of an `AppendRequest`. Repeating it is harmless. Never throws. */
  append(body: string, signal: AbortSignal): Promise<Answer>;
}

export interface ChangeLogOptions {
  /** The Worker's address, with a slash at its end. */
  readonly url: string;
  readonly secret: string;
  readonly answerTimeoutMs: number;
}

/** The ChangeLog behind the Worker at `url`. */
export function createChangeLog({ url, secret, answerTimeoutMs }: ChangeLogOptions): ChangeLog {
  const address = new URL("internal/changes", url);
  const authorization = `Bearer ${secret}`;
  const protocol = address.protocol === "https:" ? https : http;
  const agent = new protocol.Agent({ keepAlive: true });

  async function request(method: "GET" | "POST", body: string, signal: AbortSignal): Promise<Answer> {
    // Not AbortSignal.any: what it makes hangs on to a signal that lives as long as the connection.
    const abort = new AbortController();
    const onAbort = (): void => abort.abort(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort);
    const timer = setTimeout(
      () => abort.abort(new Error(`no answer in ${answerTimeoutMs} ms`)),
      answerTimeoutMs,
    );
    try {
      const { status, text } = await send(method, body, abort.signal);
      return classify(status, text);
    } catch (error) {
      return { kind: "failed", reason: describeRequestError(error) };
    } finally {
      clearTimeout(timer);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Not `fetch`, which takes 0.7 ms longer for a small POST: a tenth of the whole way of a change. A redirect is not
   * followed: it would carry the secret to an address that nobody configured.
   */
  function send(
    method: string,
    body: string,
    signal: AbortSignal,
  ): Promise<{ status: number; text: string }> {
    return new Promise((resolve, reject) => {
      const headers = {
        authorization,
        accept: "application/json",
        ...(method === "POST" && {
          "content-type": "application/json",
          "content-length": Buffer.byteLength(body),
        }),
      };
      const sent = protocol.request(address, { method, headers, agent, signal }, (response) => {
        readText(response).then((text) => resolve({ status: response.statusCode ?? 0, text }), reject);
      });
      sent.on("error", reject);
      sent.end(body);
    });
  }

  return {
    state: (signal) => request("GET", "", signal),
    append: (body, signal) => request("POST", body, signal),
  };
}

/** What an answer of `/internal/changes` means; `text` is its body. */
export function classify(status: number, text: string): Answer {
  if (status === 200 || status === 409) {
    const state = parseState(text);
    if (state) return { kind: status === 200 ? "accepted" : "conflict", state };
    return {
      kind: "refused",
      reason: `${status} with a body that is not the ChangeLog's: is WORKER_URL Rowcast's Worker, of this version?`,
    };
  }
  const reason = `${status}${describeProblem(text)}`;
  if (status === 413) return { kind: "too large", reason };
  if (status === 401 || status === 403) {
    return { kind: "refused", reason: `${reason}: INGEST_SECRET is not the Worker's` };
  }
  if (status === 404 || status === 405 || (status >= 300 && status < 400)) {
    return { kind: "refused", reason: `${reason}: is WORKER_URL right? Nothing takes changes there` };
  }
  // A timeout and a limit pass by themselves; the other refusals mean a fault in this program or the Worker's.
  if (status >= 500 || status === 408 || status === 429) return { kind: "failed", reason };
  return { kind: "refused", reason };
}

interface AppendText {
  readonly source: string;
  readonly from: string | null;
  readonly to: string;
  /** A JSON array as `rowcast.read` wrote it; it goes in as it is, so that numbers keep every digit. */
  readonly changes: string;
  /** When they were read, by the database's clock. */
  readonly readAt?: string;
  /** Why the history before has gone. */
  readonly restart?: string;
}

/** The text of an `AppendRequest`. */
export function appendText({ changes, ...rest }: AppendText): string {
  return `${JSON.stringify(rest).slice(0, -1)},"changes":${changes}}`;
}

function parseState(text: string): LogState | null {
  const result = v.safeParse(LogState, parseJson(text));
  return result.success ? result.output : null;
}

/** The detail of an RFC 9457 problem, for the log. */
function describeProblem(text: string): string {
  const problem = parseJson(text);
  if (typeof problem !== "object" || problem === null) return "";
  const { detail, title } = problem as { detail?: unknown; title?: unknown };
  const words = typeof detail === "string" ? detail : title;
  return typeof words === "string" ? ` ${words.slice(0, 300)}` : "";
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null; // An error page of something in between.
  }
}

/** An aborted request's cause knows why; Node's error for a host with several addresses has no message, but a code. */
function describeRequestError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause, code } = error as { cause?: unknown; code?: unknown };
  if (cause instanceof Error) return cause.message;
  return error.message || (typeof code === "string" ? code : error.name);
}
