/** The same with socket.io, as its tutorials have it: LISTEN, and each payload emitted to everyone, in one Node process. */
import { createServer } from "node:http";
import { once } from "node:events";
import { Client } from "pg";
import { Server } from "socket.io";
import { serveParent } from "../child.ts";
import type { Reply, Request } from "./notify-server.ts";

serveParent(async ({ databaseUrl }: Request): Promise<Reply> => {
  const http = createServer();
  const server = new Server(http, { transports: ["websocket"], serveClient: false });
  const client = new Client({ connectionString: databaseUrl });
  client.on("notification", ({ payload }) => {
    if (payload !== undefined) server.emit("change", JSON.parse(payload));
  });
  await client.connect();
  await client.query("LISTEN baseline");
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const address = http.address();
  if (address === null || typeof address === "string") throw new Error("the baseline does not listen");
  return { port: address.port };
});
