/**
 * `channel_binding=require`, kept: `pg` binds where the server offers it and otherwise logs in without a word, which is what
 * somebody in between would have it do.
 */
import type { Client } from "pg";

/** The server, or whoever answers in its place, does not bind the login to the TLS channel. */
export class NotBound extends Error {
  readonly code = "NOT_BOUND";
  override readonly name = "NotBound";

  constructor() {
    super(
      "the server does not bind the login to the TLS channel (SCRAM-SHA-256-PLUS), as channel_binding=require in DATABASE_URL wants: " +
        "is a pooler or somebody else in between? Is the password kept as scram-sha-256?",
    );
  }
}

/**
 * Has the client give its password only to a server that binds.
 *
 * @param client not yet connected.
 * @returns to be called once it is: throws {NotBound} when it was let in without a password.
 */
export function requireBinding(client: Client): () => void {
  let isBound = false;
  client.connection.on("authenticationSASL", ({ mechanisms }: { mechanisms: readonly string[] }) => {
    isBound = mechanisms.includes("SCRAM-SHA-256-PLUS");
  });
  const check = (): void => {
    if (!isBound) throw new NotBound();
  };
  const { password } = client;
  // Asked for before every kind of login; with a connection string it cannot be given to the constructor.
  Object.assign(client, {
    password: () => {
      check();
      return password ?? undefined;
    },
  });
  return check;
}
