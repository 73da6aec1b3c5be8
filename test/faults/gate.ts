/** What lies between a listener and the Worker: it knows where a request begins and when its work is done. */
import { once } from "node:events";
import { Agent, createServer, request as send, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";

export type Treatment =
  | "pass"
  /** 503, and nothing was done. */
  | "refuse"
  /** Cut off before it reaches the Worker. */
  | "cut"
  /** The Worker has done it; the answer is lost with the connection. */
  | "lose answer"
  /** No answer, ever, and nothing was done. */
  | "hang"
  /** Done, and answered 2 s later. */
  | "late"
  /** Half of the answer, then the connection is cut. */
  | "half an answer";

export interface Gate {
  readonly url: string;
  treatment: Treatment;
  /** Called when the Worker has stored a batch, before the listener gets to know. */
  onStored: (() => void) | null;
  close(): void;
}

const LATE_MS = 2_000;

/** Opens a gate on a free port of 127.0.0.1, in front of the Worker on port `to`. */
export async function openGate(to: number): Promise<Gate> {
  const agent = new Agent({ keepAlive: true });

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { treatment } = gate;
    const body = await buffer(request);
    if (treatment === "hang") return;
    if (treatment === "cut") return void request.socket.resetAndDestroy();
    if (treatment === "refuse") {
      response.writeHead(503, { "content-type": "text/plain" }).end("the suite says no");
      return;
    }
    const { status, text } = await forward(request, body);
    if (status === 200 && request.method === "POST" && body.includes('"id":')) gate.onStored?.();
    if (treatment === "lose answer") return void request.socket.resetAndDestroy();
    if (treatment === "late") await sleep(LATE_MS);
    response.writeHead(status, { "content-type": "application/json", "content-length": text.length });
    if (treatment === "half an answer") {
      response.write(text.subarray(0, text.length / 2), () => request.socket.destroy());
      return;
    }
    response.end(text);
  }

  function forward(incoming: IncomingMessage, body: Buffer): Promise<{ status: number; text: Buffer }> {
    return new Promise((resolve, reject) => {
      const { method = "GET", url = "/", headers } = incoming;
      const { authorization = "" } = headers;
      const outgoing = send(
        {
          agent,
          host: "127.0.0.1",
          port: to,
          method,
          path: url,
          headers: {
            authorization,
            "content-type": "application/json",
            ...(method === "POST" && { "content-length": body.length }),
          },
        },
        (answer) => {
          buffer(answer).then((text) => resolve({ status: answer.statusCode ?? 502, text }), reject);
        },
      );
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  const server = createServer((request, response) => {
    handle(request, response).catch(() => request.socket.resetAndDestroy()); // the Worker is not there
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const gate: Gate = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    treatment: "pass",
    onStored: null,
    close() {
      server.close();
      server.closeAllConnections();
      agent.destroy();
    },
  };
  return gate;
}
