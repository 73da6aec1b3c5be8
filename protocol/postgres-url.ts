/** What an address of Postgres asks for, in the terms of `pg`: the same for whoever connects. */

export interface ConnectionOptions {
  readonly connectionString: string;
  /** SCRAM bound to the TLS channel (`channel_binding=require`): nobody in between can pass the login on. */
  readonly enableChannelBinding?: true;
}

/**
 * `sslmode` of prefer, require and verify-ca means verify-full, as it does in pg 8, which warns that pg 9 will take these
 * words for less. Who wants that says `uselibpqcompat=true`, and is left alone.
 *
 * @param address a Postgres URL; one that is none is handed on for `pg` to refuse.
 */
export function connectionOptions(address: string): ConnectionOptions {
  const weak = /[?&]sslmode=(prefer|require|verify-ca)(?=&|$)/;
  const isLeftAlone = /[?&]uselibpqcompat=true(?=&|$)/.test(address);
  const connectionString = isLeftAlone
    ? address
    : address.replace(weak, (parameter, mode: string) => parameter.replace(mode, "verify-full"));
  const isBound = /[?&]channel_binding=require(?=&|$)/.test(address);
  return { connectionString, ...(isBound && { enableChannelBinding: true as const }) };
}

/** The host behind a pooler's name, as Neon writes it (`ep-cool-1-pooler.…`); any other host as it is. */
export function directHost(host: string): string {
  return host.replace(/^([^.]*)-pooler(?=\.|$)/, "$1");
}
