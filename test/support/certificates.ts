/** Certificates for tests, made anew: an authority that nobody knows but who is told, and what it signs. */
import { generate, type GenerateResult } from "selfsigned";

export interface Certificate {
  /** PEM. */
  readonly cert: string;
  /** PEM. */
  readonly key: string;
}

/** A root of our own. */
export async function createAuthority(name: string): Promise<Certificate> {
  return pems(
    await generate([{ name: "commonName", value: name }], {
      ...OPTIONS,
      extensions: [
        { name: "basicConstraints", cA: true, critical: true },
        { name: "keyUsage", keyCertSign: true, cRLSign: true, critical: true },
      ],
    }),
  );
}

/** A certificate of a server with these names, signed by `authority`. */
export async function issueCertificate(
  authority: Certificate,
  names: { readonly hosts: readonly string[]; readonly addresses?: readonly string[] },
): Promise<Certificate> {
  const { hosts, addresses = [] } = names;
  return pems(
    await generate([{ name: "commonName", value: hosts[0] ?? "" }], {
      ...OPTIONS,
      ca: authority,
      extensions: [
        { name: "basicConstraints", cA: false },
        { name: "keyUsage", digitalSignature: true },
        { name: "extKeyUsage", serverAuth: true },
        {
          name: "subjectAltName",
          altNames: [
            ...hosts.map((value) => ({ type: 2 as const, value })),
            ...addresses.map((ip) => ({ type: 7 as const, ip })),
          ],
        },
      ],
    }),
  );
}

/** An elliptic curve: an RSA key takes a second to find. */
const OPTIONS = { keyType: "ec", algorithm: "sha256" } as const;

function pems({ cert, private: key }: GenerateResult): Certificate {
  return { cert, key };
}
