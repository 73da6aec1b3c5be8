/** What an address of Postgres asks for, in the terms of `pg`: the same for whoever connects. */

export interface ConnectionOptions {
  readonly connectionString: string;
  /** SCRAM bound to the TLS channel (`channel_binding=require`): nobody in between can pass the login on. */
  readonly enableChannelBinding?: true;
}

/**
 * `sslmode` of prefer, require and verify-ca means verify-full, as it does in pg 8, which warns that pg 9 will take these
 * words for less. Who wants that says `uselibpqcompat=true`, and is left alone. `sslrootcert=system` asks for the roots that
 * are taken anyway; `pg` would look for a file of that name.
 *
 * @param address a Postgres URL; one that is none is handed on for `pg` to refuse.
 */
export function connectionOptions(address: string): ConnectionOptions {
  const weak = /[?&]sslmode=(prefer|require|verify-ca)(?=&|$)/;
  const isLeftAlone = /[?&]uselibpqcompat=true(?=&|$)/.test(address);
  const strict = isLeftAlone
    ? address
    : address.replace(weak, (parameter, mode: string) => parameter.replace(mode, "verify-full"));
  const connectionString = strict.replace(OWN_ROOTS, (_whole, before: string, after: string) =>
    before === "?" && after !== "" ? "?" : after,
  );
  const isBound = /[?&]channel_binding=require(?=&|$)/.test(address);
  return { connectionString, ...(isBound && { enableChannelBinding: true as const }) };
}

const OWN_ROOTS = /([?&])sslrootcert=system(&|$)/;

/** Whether the address asks for TLS. */
export function asksForTls(address: string): boolean {
  return /[?&](sslmode=(?!disable(&|$))|ssl=(true|1)(&|$)|sslnegotiation=direct(&|$)|sslrootcert=)/.test(
    address,
  );
}

/** What to do about a connection that failed for the sake of TLS, whose codes are Node's; null for any other failure. */
export function adviseOnTls({ code, message }: { code?: unknown; message: string }): string | null {
  if (message === "The server does not support SSL connections")
    return "turn TLS on there (ssl = on), or take sslmode out of DATABASE_URL if nobody can listen in between";
  if (typeof code !== "string") return null;
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID")
    return "name the server in DATABASE_URL as its certificate does, or give it a certificate for this name";
  if (code === "ENOENT" && message.includes("open "))
    return "sslrootcert, sslcert and sslkey in DATABASE_URL have to name files that are there";
  if (code === "CERT_HAS_EXPIRED") return "give the server a new certificate";
  return UNKNOWN_ROOT.has(code)
    ? "its certificate comes from an authority that is not known here: add &sslrootcert=/path/to/root.pem to DATABASE_URL, or set NODE_EXTRA_CA_CERTS to that file"
    : null;
}

const UNKNOWN_ROOT: ReadonlySet<string> = new Set([
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
]);

/** The host behind a pooler's name, as Neon writes it (`ep-cool-1-pooler.…`); any other host as it is. */
export function directHost(host: string): string {
  return host.replace(/^([^.]*)-pooler(?=\.|$)/, "$1");
}
