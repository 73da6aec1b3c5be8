/** A stream as any client opens it, on the table of the probes. */
import type { Change } from "../../protocol/change.ts";
import type { ServerMessage } from "../../protocol/messages.ts";
import { describeAnswer, PATIENCE_MS, type Stage } from "./stage.ts";

export const PROBES = "rowcast.probes";

export interface Stream {
  /** When the change with this token in its row came, by `performance.now()`; null when it has not within so many ms. */
  arrival(token: string, ms: number): Promise<number | null>;
  close(): void;
}

/**
 * Resolves after the welcome.
 *
 * @throws {Error} that says why there is none.
 */
export async function openStream(stage: Stage): Promise<Stream> {
  const address = new URL(`/ws?tables=${PROBES}`, stage.settings.workerUrl.value);
  if (stage.settings.token !== null) address.searchParams.set("ticket", await buyTicket(stage));
  address.protocol = address.protocol.replace("http", "ws");
  const socket = new WebSocket(address);
  const arrivals = new Map<unknown, number>();
  const waiting = new Set<() => void>();
  const welcome = Promise.withResolvers<void>();
  const timer = setTimeout(
    () => welcome.reject(new Error(`no welcome within ${PATIENCE_MS} ms`)),
    PATIENCE_MS,
  );
  socket.addEventListener("message", ({ data }) => {
    const message = JSON.parse(String(data)) as ServerMessage;
    if (message.type === "welcome") welcome.resolve();
    if (message.type !== "changes") return;
    for (const { data: row } of message.changes as readonly Change[]) {
      arrivals.set(row?.["token"], performance.now());
    }
    for (const wake of waiting) wake();
  });
  socket.addEventListener("error", () => welcome.reject(new Error("no WebSocket could be opened")));
  socket.addEventListener("close", ({ code, reason }) =>
    welcome.reject(new Error(`the stream was closed: ${code} ${reason}`)),
  );
  const close = (): void => socket.close();
  try {
    await welcome.promise;
  } catch (error) {
    close();
    throw error;
  } finally {
    clearTimeout(timer);
  }
  return {
    close,
    arrival(token, ms) {
      return new Promise((resolve) => {
        const settle = (): void => {
          clearTimeout(late);
          waiting.delete(look);
          resolve(arrivals.get(token) ?? null);
        };
        const look = (): void => {
          if (arrivals.has(token)) settle();
        };
        const late = setTimeout(settle, ms);
        waiting.add(look);
        look();
      });
    },
  };
}

async function buyTicket(stage: Stage): Promise<string> {
  const answer = await stage.ask("/api/ticket", { method: "POST", headers: stage.authorization });
  const { ticket } = (answer.body ?? {}) as { ticket?: unknown };
  if (answer.status !== 201 || typeof ticket !== "string") throw new Error(describeAnswer(answer));
  return ticket;
}
