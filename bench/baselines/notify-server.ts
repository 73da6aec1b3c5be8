/**
 * What Rowcast is compared with: LISTEN, and each payload sent as it came to every socket, in one Node process. It keeps
 * nothing: what comes while a client or this server is away is lost, and what a slow client leaves waits in its memory.
 */
import { Client } from "pg";
import { WebSocketServer } from "ws";
import { serveParent } from "../child.ts";

export interface Request {
  databaseUrl: string;
}
export interface Reply {
  port: number;
}

serveParent(async ({ databaseUrl }: Request): Promise<Reply> => {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, perMessageDeflate: false });
  const client = new Client({ connectionString: databaseUrl });
  client.on("notification", ({ payload }) => {
    if (payload === undefined) return;
    const frame = Buffer.from(payload); // once, not for each socket
    for (const socket of server.clients) socket.send(frame, { binary: false });
  });
  await client.connect();
  await client.query("LISTEN baseline");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the baseline does not listen");
  return { port: address.port };
});
