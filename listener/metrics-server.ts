/** `/metrics` for Prometheus and `/healthz` for a supervisor, on a port of the listener's own. */
import { createServer, type Server } from "node:http";
import { collectDefaultMetrics } from "prom-client";
import type { ListenerState } from "../protocol/control.ts";
import type { Logger } from "./log.ts";
import type { Meter } from "./metrics.ts";

/** Without Postgres for so long, a supervisor may as well try another process or another machine. */
export const PATIENCE_MS = 60_000;

export interface Health {
  readonly ok: boolean;
  readonly state: ListenerState;
  /** How long there has been no connection to Postgres, in ms; null with one. */
  readonly withoutPostgresMs: number | null;
  readonly why?: string;
}

/** Whether a listener in this state works: it is connected, sleeps on purpose, or is not long without Postgres. */
export function healthOf(state: ListenerState, withoutPostgresMs: number | null): Health {
  const health = { state, withoutPostgresMs };
  if (withoutPostgresMs === null || state === "asleep" || withoutPostgresMs < PATIENCE_MS) {
    return { ok: true, ...health };
  }
  const seconds = Math.round(withoutPostgresMs / 1000);
  return { ok: false, ...health, why: `no connection to Postgres for ${seconds} s; the log says why` };
}

export interface MetricsAddress {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
}

/**
 * Serves both until the process ends.
 *
 * @param state how the listener is now.
 * @throws {Error} when the port cannot be had, saying so and what to do.
 */
export async function serveMetrics(
  meter: Meter,
  {
    host,
    port,
    log,
    state,
    now,
  }: MetricsAddress & { log: Logger; state: () => ListenerState; now: () => number },
): Promise<Server> {
  collectDefaultMetrics({ register: meter.registry }); // of the process: memory, event loop, garbage collection
  const server = createServer((request, response) => {
    const answer = (status: number, type: string, body: string): void => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    };
    const path = request.url?.split("?")[0];
    if (request.method !== "GET" && request.method !== "HEAD") {
      answer(405, "text/plain", "GET only\n");
    } else if (path === "/healthz") {
      const health = healthOf(state(), meter.lostAt === null ? null : Math.round(now() - meter.lostAt));
      answer(health.ok ? 200 : 503, "application/json", `${JSON.stringify(health)}\n`);
    } else if (path === "/metrics") {
      meter.showState(state());
      meter.registry.metrics().then(
        (text) => answer(200, meter.registry.contentType, text),
        (error: unknown) => {
          log.warn({ reason: String(error) }, "metrics cannot be shown");
          answer(500, "text/plain", "the log says why\n");
        },
      );
    } else {
      answer(404, "text/plain", "/metrics and /healthz\n");
    }
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(new Error(describeFault(error, host, port))),
    );
    server.listen(port, host, resolve);
  });
  log.info({ host, port }, "metrics");
  return server;
}

function describeFault({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  const what = `METRICS_PORT ${port} on ${host}`;
  if (code === "EADDRINUSE") return `${what} is taken: choose another, or 0 for none`;
  if (code === "EACCES") return `${what} may not be used by this user: choose one from 1024 on`;
  if (code === "EADDRNOTAVAIL" || code === "ENOTFOUND")
    return `${what}: METRICS_HOST is not an address of this machine`;
  return `${what} cannot be used: ${message}`;
}
