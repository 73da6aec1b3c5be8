/** Asking Postgres to give up a statement that nobody waits for any longer. */
import { Connection, type Client } from "pg";

/** What of pg's connection is used here, which its types leave out. */
interface Wire extends Pick<Connection, "once" | "stream"> {
  connect(port: number, host: string): void;
  requestSsl(): void;
  cancel(processId: number | undefined, secretKey: number | undefined): void;
}

/**
 * Sends a cancel request, over a connection of its own as the protocol wants it. Whether it came in time is told by the
 * statement: it fails with 57014, or was done already.
 *
 * @returns when that connection has ended; never rejects.
 */
export function cancel(client: Client): Promise<void> {
  const { connection, host, port } = client;
  const { processID, secretKey } = client as unknown as { processID?: number; secretKey?: number };
  const { ssl } = connection as unknown as { ssl: object | boolean };
  const wire = new Connection({ ssl }) as unknown as Wire;
  return new Promise((resolve) => {
    wire.once("end", resolve); // Postgres hangs up, whatever comes of it.
    wire.once("error", () => resolve()); // Then it goes on until it is done, and its answer finds nobody.
    wire.once("connect", () => (ssl ? wire.requestSsl() : wire.cancel(processID, secretKey)));
    wire.once("sslconnect", () => wire.cancel(processID, secretKey));
    wire.connect(port, host);
  });
}
