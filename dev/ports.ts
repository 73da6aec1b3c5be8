/** Whether a TCP port is free, and one that is. */
import { connect, createServer, type AddressInfo } from "node:net";

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

/** A port that was free a moment ago, on 127.0.0.1. */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const port = await listenBriefly("127.0.0.1", 0);
    if (port !== null && (await isPortFree(port))) return port;
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

async function canListen(host: string, port: number): Promise<boolean> {
  return (await listenBriefly(host, port)) !== null;
}

/** The port that was listened on for a moment; null when somebody else has it. A family that the machine lacks is no obstacle. */
function listenBriefly(host: string, port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) =>
      resolve(error.code === "EADDRINUSE" || error.code === "EACCES" ? null : port),
    );
    server.listen({ host, port, exclusive: true }, () => {
      const { port: bound } = server.address() as AddressInfo;
      server.close(() => resolve(bound));
    });
  });
}
