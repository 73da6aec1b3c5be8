/** COPY ... FROM STDIN over `pg`, which speaks the protocol's messages but has no function for them. */
import type { Client, Connection } from "pg";

interface CopyConnection extends Connection {
  sendCopyFromChunk(data: Buffer): void;
  endCopyFrom(): void;
}

/** Runs a COPY statement and feeds it `text`. */
export async function copyFrom(client: Client, statement: string, text: string): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.query({
    submit(connection: Connection): void {
      connection.query(statement);
    },
    handleCopyInResponse(connection: CopyConnection) {
      connection.sendCopyFromChunk(Buffer.from(text));
      connection.endCopyFrom();
    },
    handleCommandComplete: () => undefined,
    handleReadyForQuery: () => resolve(),
    handleError: reject,
  });
  await promise;
}
