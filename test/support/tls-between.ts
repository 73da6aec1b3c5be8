/** Somebody between a client and Postgres, who answers with a certificate of theirs and reads all that passes. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { TLSSocket, connect as connectTls } from "node:tls";
import type { Certificate } from "./certificates.ts";

export interface Between {
  readonly port: number;
  /** What clients have said to one who asks for the password, once TLS was there. */
  readonly heard: string;
  close(): void;
}

/**
 * @param shown their certificate; null for one who says that there is no TLS here.
 * @param onward where they pass it on to, and whether over TLS; null for one who asks for the password in the clear.
 */
export async function standBetween(
  shown: Certificate | null,
  onward: { readonly port: number; readonly overTls: boolean } | null,
): Promise<Between> {
  const open = new Set<Socket>();
  let heard = "";
  const server = createServer((socket) => {
    track(socket);
    socket.once("data", () => {
      if (shown === null) return void socket.end("N");
      socket.write("S");
      const client = track(new TLSSocket(socket, { isServer: true, cert: shown.cert, key: shown.key }));
      if (onward === null) {
        client.on("data", (data: Buffer) => (heard += data.toString("utf8")));
        return void client.once("data", () => client.write(ASK_PASSWORD));
      }
      const upstream = track(connect({ host: "127.0.0.1", port: onward.port }));
      if (!onward.overTls) return pass(client, upstream);
      upstream.write(SSL_REQUEST);
      upstream.once("data", () =>
        pass(client, track(connectTls({ socket: upstream, rejectUnauthorized: false }))),
      );
    });
  });
  function track(socket: Socket): Socket {
    open.add(socket);
    return socket.on("error", () => undefined); // Who is cut off tells it to both ends.
  }
  function pass(client: Socket, upstream: Socket): void {
    client.pipe(upstream).pipe(client);
  }
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get heard() {
      return heard;
    },
    close() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}

/** https://www.postgresql.org/docs/current/protocol-message-formats.html */
const ASK_PASSWORD = Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]);
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
