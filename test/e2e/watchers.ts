/** Those who look on: a plain WebSocket, a plain read of `/sse`, and the terminal client, each knowing nothing but the wire. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { WebSocket } from "ws";
import { PROJECT_DIR } from "../../dev/config.ts";
import type { Change } from "../../protocol/change.ts";
import type { ServerMessage } from "../../protocol/messages.ts";
import { fetchDescribed } from "../support/openapi.ts";

export class Watcher {
  readonly name: string;
  readonly changes: Change[] = [];
  /** Everything else that the server said. */
  readonly messages: ServerMessage[] = [];
  readonly close: () => void;
  readonly #waiting = new Set<() => void>();

  constructor(name: string, close: () => void) {
    this.name = name;
    this.close = close;
  }

  saw(...changes: readonly Change[]): void {
    this.changes.push(...changes);
    this.#wake();
  }

  heard(message: ServerMessage): void {
    this.messages.push(message);
    this.#wake();
  }

  /** Resolves when the condition holds, looked at whenever something has come. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => {
        this.#waiting.add(resolve);
      });
    }
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }
}

/** `/ws`, as any WebSocket library reads it. Resolves after the welcome. */
export async function watchSocket(url: string, search = ""): Promise<Watcher> {
  const socket = new WebSocket(`${url.replace("http", "ws")}/ws${search}`);
  const watcher = new Watcher("/ws", () => socket.close());
  socket.on("message", (data: Buffer) => {
    const message = JSON.parse(data.toString()) as ServerMessage;
    if (message.type === "changes") watcher.saw(...message.changes);
    else watcher.heard(message);
  });
  await once(socket, "open");
  await watcher.until(() => watcher.messages.some(({ type }) => type === "welcome"));
  return watcher;
}

/** `/sse`, as `curl -N` shows it. Resolves after the welcome. */
export async function watchEvents(url: string, search = ""): Promise<Watcher> {
  const abort = new AbortController();
  const response = await fetchDescribed(`${url}/sse${search}`, { signal: abort.signal });
  if (!response.ok || response.body === null) throw new Error(`GET /sse answered ${response.status}`);
  const watcher = new Watcher("/sse", () => abort.abort());
  const read = async (body: NonNullable<Response["body"]>): Promise<void> => {
    let event = "";
    let rest = "";
    for await (const text of body.pipeThrough(new TextDecoderStream())) {
      const lines = `${rest}${text}`.split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line.startsWith("event: ")) event = line.slice("event: ".length);
        if (!line.startsWith("data: ")) continue;
        const data: unknown = JSON.parse(line.slice("data: ".length));
        if (event.includes(":")) watcher.saw(data as Change);
        else watcher.heard(data as ServerMessage);
      }
    }
  };
  read(response.body).catch((error: unknown) => {
    if (!abort.signal.aborted) throw error;
  });
  await watcher.until(() => watcher.messages.some(({ type }) => type === "welcome"));
  return watcher;
}

/** `npm run cli -- watch --json`, the process. Resolves when it says that it is live. */
export async function watchTerminal(url: string, ...args: string[]): Promise<Watcher> {
  const child = spawn(
    process.execPath,
    [join(PROJECT_DIR, "cli/main.ts"), "watch", "--json", "--url", url, ...args],
    { env: { PATH: process.env["PATH"] }, stdio: ["ignore", "pipe", "pipe"] },
  );
  const watcher = new Watcher("cli", () => void child.kill("SIGINT"));
  createInterface({ input: child.stdout }).on("line", (line) => watcher.saw(JSON.parse(line) as Change));
  let notes = "";
  await new Promise<void>((resolve, reject) => {
    child.stderr.on("data", (data: Buffer) => {
      notes += data.toString();
      if (notes.includes("live over")) resolve();
    });
    child.once("close", () => reject(new Error(`the terminal client ended: ${notes}`)));
  });
  return watcher;
}

/** All three, watching everything. */
export function watchAll(url: string): Promise<Watcher[]> {
  return Promise.all([watchSocket(url), watchEvents(url), watchTerminal(url)]);
}
