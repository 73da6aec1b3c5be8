/**
 * A fake of Neon's SQL-over-HTTP endpoint (`POST /sql`) over a real Postgres, for tests and offline development only. It
 * follows the original (neondatabase/neon, proxy/src/serverless/sql_over_http.rs) in what the driver can see: text in and
 * text out, 400 with the SQLSTATE fields for an error of Postgres, another status and a bare text for one of the proxy.
 * What it lacks: JWT, the response limit, the proxy's own pool and its wake-up of computes.
 */
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { Client, DatabaseError } from "pg";

export interface NeonEndpoint {
  /** What goes into NEON_FETCH_ENDPOINT. */
  readonly url: string;
  /** The statements that arrived, in order. */
  readonly statements: readonly string[];
  /** Answers the next request without asking Postgres, as the proxy does when something on the way fails. */
  failNext(status: number, text: string): void;
  /** Does what the next request asks, and cuts the connection instead of answering. */
  loseNext(): void;
  /** Does what the next request asks, and never answers. */
  hangNext(): void;
  /** Answers from now on, whatever was still to go wrong. */
  forgive(): void;
  /** Holds the next request for so long, as for a compute that wakes. */
  delayNext(ms: number): void;
  close(): Promise<void>;
}

type Failure =
  | { readonly kind: "refused"; readonly status: number; readonly text: string }
  | { readonly kind: "lost" | "hung" }
  | { readonly kind: "late"; readonly ms: number };

interface Statement {
  readonly query: string;
  readonly params?: readonly unknown[];
  readonly arrayMode?: boolean;
}
type Payload = Statement | { readonly queries: readonly Statement[] };

const ERROR_FIELDS = [
  "code",
  "detail",
  "hint",
  "position",
  "internalPosition",
  "internalQuery",
  "severity",
  "where",
  "table",
  "column",
  "schema",
  "dataType",
  "constraint",
  "file",
  "line",
  "routine",
] as const;

const ISOLATION_LEVELS: Readonly<Record<string, string>> = {
  ReadUncommitted: "READ UNCOMMITTED",
  ReadCommitted: "READ COMMITTED",
  RepeatableRead: "REPEATABLE READ",
  Serializable: "SERIALIZABLE",
};

/** Values stay the text that Postgres wrote: the driver parses them. */
const rawText = { getTypeParser: () => (value: string | Buffer) => value };

/** Starts the fake on a free port of 127.0.0.1. The database is the one that each request's connection string names. */
export async function startNeonEndpoint(): Promise<NeonEndpoint> {
  const statements: string[] = [];
  const failures: Failure[] = [];
  const server = createServer((request, response) => {
    answer(request, response, statements, failures.shift()).catch((error: unknown) => {
      response.writeHead(500).end(String(error));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/sql`,
    statements,
    failNext: (status, text) => failures.push({ kind: "refused", status, text }),
    loseNext: () => failures.push({ kind: "lost" }),
    hangNext: () => failures.push({ kind: "hung" }),
    forgive: () => void failures.splice(0),
    delayNext: (ms) => failures.push({ kind: "late", ms }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  statements: string[],
  failure: Failure | undefined,
): Promise<void> {
  let text = "";
  for await (const chunk of request.setEncoding("utf8")) text += chunk as string;
  const send = (status: number, body: unknown) => {
    if (failure?.kind === "lost") return void response.destroy();
    if (failure?.kind === "hung") return;
    response.writeHead(status, { "Content-Type": "application/json", "Access-Control-Allow-Origin": "*" });
    response.end(JSON.stringify(body));
  };
  if (failure?.kind === "late") await sleep(failure.ms);
  if (failure?.kind === "refused") {
    response.writeHead(failure.status).end(failure.text);
    return;
  }
  if (request.method !== "POST" || request.url !== "/sql") return send(404, { message: "not found" });
  const connectionString = request.headers["neon-connection-string"];
  if (typeof connectionString !== "string")
    return send(400, errorBody(new Error("missing connection string")));
  const client = new Client({ connectionString });
  client.on("error", () => undefined);
  try {
    const payload = JSON.parse(text) as Payload;
    for (const { query } of "queries" in payload ? payload.queries : [payload]) statements.push(query);
    await client.connect();
    send(200, await run(client, payload, request.headers));
  } catch (error) {
    // Bad connection info and bad payloads are 400 too, with null where an SQLSTATE would be.
    send(400, errorBody(error instanceof Error ? error : new Error(String(error))));
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function run(client: Client, payload: Payload, headers: IncomingHttpHeaders): Promise<unknown> {
  const asArray = headers["neon-array-mode"] === "true";
  if (!("queries" in payload)) return execute(client, payload, asArray);
  await client.query(beginStatement(headers));
  const results: unknown[] = [];
  for (const statement of payload.queries) results.push(await execute(client, statement, asArray));
  await client.query("COMMIT");
  return { results };
}

function beginStatement(headers: IncomingHttpHeaders): string {
  const name = headers["neon-batch-isolation-level"];
  const level = typeof name === "string" ? ISOLATION_LEVELS[name] : undefined;
  if (name !== undefined && level === undefined) throw new Error("invalid isolation level");
  return [
    "BEGIN",
    level && `ISOLATION LEVEL ${level}`,
    headers["neon-batch-read-only"] === "true" && "READ ONLY",
    headers["neon-batch-deferrable"] === "true" && "DEFERRABLE",
  ]
    .filter(Boolean)
    .join(" ");
}

async function execute(client: Client, statement: Statement, asArray: boolean): Promise<unknown> {
  const rowAsArray = statement.arrayMode ?? asArray;
  const result = await client.query<unknown[]>({
    text: statement.query,
    values: (statement.params ?? []).map(toText),
    rowMode: "array",
    types: rawText,
  });
  const names = result.fields.map((field) => field.name);
  return {
    rowAsArray,
    command: result.command,
    rowCount: result.rowCount,
    fields: result.fields.map((field) => ({
      name: field.name,
      dataTypeID: field.dataTypeID,
      tableID: field.tableID,
      columnID: field.columnID,
      dataTypeSize: field.dataTypeSize,
      dataTypeModifier: field.dataTypeModifier,
      format: "text",
    })),
    rows: rowAsArray
      ? result.rows
      : result.rows.map((row) => Object.fromEntries(names.map((name, index) => [name, row[index]]))),
  };
}

/** The proxy knows text parameters only; it writes other JSON as text. */
function toText(param: unknown): string | null {
  if (param === null || param === undefined) return null;
  return typeof param === "string" ? param : JSON.stringify(param);
}

function errorBody(error: Error): Record<string, unknown> {
  const fields = error instanceof DatabaseError ? error : null;
  return {
    message: error.message,
    ...Object.fromEntries(ERROR_FIELDS.map((name) => [name, fields?.[name] ?? null])),
  };
}
