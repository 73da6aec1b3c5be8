/** Whether a TCP port is free, and one that is. */
import { randomInt } from "node:crypto";
import { connect, createServer } from "node:net";

/** Loopback in both families: `localhost` may mean either, so a port is ours only when nobody holds it in the other. */
const LOOPBACK = ["127.0.0.1", "::1"] as const;

/** Whether nobody listens on `port` of the loopback interface, in IPv4 or IPv6. */
export async function isPortFree(port: number): Promise<boolean> {
  for (const host of LOOPBACK) {
    // Both ways: macOS lets a second socket bind beside one that listens on every address.
    if ((await answers(host, port)) || !(await canListen(host, port))) return false;
  }
  return true;
}

/** No system hands these out by itself: one that is free stays free until somebody asks for it. */
const UNASSIGNED = { from: 20_000, to: 32_768 };

/** A port that was free a moment ago, and is not taken by the next outgoing connection. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = randomInt(UNASSIGNED.from, UNASSIGNED.to);
    if (await isPortFree(port)) return port;
  }
}

function answers(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 1000 });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once("connect", () => finish(true));
    socket.once("error", () => finish(false));
    socket.once("timeout", () => finish(false));
  });
}

/** Listens for a moment; false when somebody else has the port. A family that the machine lacks is no obstacle. */
function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code !== "EADDRINUSE" && error.code !== "EACCES"),
    );
    server.listen({ host, port, exclusive: true }, () => {
      server.close(() => resolve(true));
    });
  });
}
