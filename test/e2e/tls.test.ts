/** TLS to a real Postgres, for the listener and for the Worker in workerd: who is believed, who is not, and what is said then. */
import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, inject, it, onTestFinished, vi } from "vitest";
import { connect, describe as describeError } from "../../listener/database.ts";
import { setStage } from "../listener/stage.ts";
import { createAuthority, issueCertificate, type Certificate } from "../support/certificates.ts";
import { standBetween, type Between } from "../support/tls-between.ts";

const { authority, rootPath } = inject("postgresTls");
const stage = setStage();
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === "::1");
/** By which name the server's certificate is good. */
const HOST = hasIpv6 ? "[::1]" : "localhost";
const PASSWORD = "p@/:#?%&+ é\"'\\ 密";
const TRUSTED = `sslrootcert=${encodeURIComponent(rootPath)}`;

let odd: URL;
beforeAll(async () => {
  const { client, url } = stage.database;
  const name = `odd_${Date.now()}`;
  await client.query(`CREATE ROLE ${name} LOGIN PASSWORD ${client.escapeLiteral(PASSWORD)}`);
  await client.query(`GRANT rowcast_api, rowcast_listener TO ${name}`);
  odd = new URL(url);
  odd.username = name;
  odd.password = encodeURIComponent(PASSWORD);
});
afterAll(() => stage.database.client.query(`DROP ROLE ${odd.username}`));

/** The address of the stage's database by another name, with this behind the question mark. */
function addressOf(host: string, search: string, port: number | string = odd.port): string {
  const url = new URL(odd);
  url.host = `${host}:${port}`;
  url.search = search;
  return url.href;
}

/** Whether the sessions of that application are encrypted. */
async function encrypted(application: string): Promise<boolean[]> {
  const { rows } = await stage.database.client.query<{ ssl: boolean }>(
    `SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
      WHERE application_name = $1 AND datname = current_database()`,
    [application],
  );
  return rows.map(({ ssl }) => ssl);
}

async function between(...options: Parameters<typeof standBetween>): Promise<Between> {
  const one = await standBetween(...options);
  onTestFinished(() => one.close());
  return one;
}

const good = () => issueCertificate(authority, { hosts: ["localhost"] });
const stranger = async (): Promise<Certificate> =>
  issueCertificate(await createAuthority("Somebody"), { hosts: ["localhost"] });

describe("The listener", () => {
  it("delivers, bound to the channel, with an odd password and a root from NODE_EXTRA_CA_CERTS", async () => {
    const log = await stage.openLog();
    const listener = await stage.startReady(log, {
      DATABASE_URL: addressOf(HOST, "sslmode=verify-full&channel_binding=require"),
      NODE_EXTRA_CA_CERTS: rootPath,
    });
    await stage.insert(1);
    await log.until(() => log.changes.length > 0);
    expect(await encrypted("rowcast listener")).toEqual([true]);
    expect(JSON.stringify(listener.lines)).not.toContain("p%40");
    await listener.end("SIGTERM");
  });

  /** What comes of connecting: "over TLS", "in the clear", or what it says of its failure. */
  async function outcome(url: string): Promise<string> {
    const stop = new AbortController();
    try {
      const options = { url, answerTimeoutMs: 5_000, onRing: () => undefined, signal: stop.signal };
      const database = await connect(options);
      const ssl = await encrypted("rowcast listener");
      database.close();
      // The next test asks for sessions of the same name.
      await expect.poll(() => encrypted("rowcast listener")).toEqual([]);
      return ssl.includes(true) ? "over TLS" : "in the clear";
    } catch (error) {
      return describeError(error as Error);
    }
  }

  it.each(["verify-full", "verify-ca", "require", "prefer"])(
    "takes sslmode=%s for verify-full: it needs the root and the name",
    async (mode) => {
      expect(await outcome(addressOf("localhost", `sslmode=${mode}&${TRUSTED}`))).toBe("over TLS");
      expect(await outcome(addressOf("127.0.0.1", `sslmode=${mode}&${TRUSTED}`))).toMatch(
        /does not match .*: name the server in DATABASE_URL as its certificate does/,
      );
      for (const roots of ["", "&sslrootcert=system"])
        expect(await outcome(addressOf("localhost", `sslmode=${mode}${roots}`))).toMatch(
          /certificate.*authority that is not known here: add &sslrootcert=.*NODE_EXTRA_CA_CERTS/,
        );
    },
  );

  it.each([
    ["sslmode=require&uselibpqcompat=true", "over TLS"],
    ["sslmode=no-verify", "over TLS"],
    ["sslmode=disable", "in the clear"],
    ["", "in the clear"],
  ])("believes anybody only when the address says so: %s", async (search, expected) => {
    expect(await outcome(addressOf("127.0.0.1", search))).toBe(expected);
  });

  it("says what to do when the root's file is missing, and when there is no TLS", async () => {
    expect(await outcome(addressOf("localhost", "sslmode=verify-full&sslrootcert=/nowhere.pem"))).toMatch(
      /nowhere.pem'?: sslrootcert.* have to name files that are there/,
    );
    const { port } = await between(null, { port: Number(odd.port), overTls: false });
    expect(await outcome(addressOf("localhost", `sslmode=verify-full&${TRUSTED}`, port))).toMatch(
      /does not support SSL connections: turn TLS on there/,
    );
  });

  it.each([
    ["who is in the clear behind", false, /does not bind the login.*is a pooler or somebody else in between/],
    ["who speaks TLS behind", true, /channel binding/i],
  ])(
    "bound to the channel refuses somebody in between with a good certificate, %s",
    async (_, overTls, reason) => {
      const { port } = await between(await good(), { port: Number(odd.port), overTls });
      const address = addressOf("localhost", `sslmode=verify-full&${TRUSTED}`, port);
      expect(await outcome(`${address}&channel_binding=require`)).toMatch(reason);
      // Without, nothing tells them from the server.
      expect(await outcome(address)).toBe(overTls ? "over TLS" : "in the clear");
    },
  );

  it("bound to the channel gives its password to nobody who just asks", async () => {
    const asking = await between(await good(), null);
    const address = addressOf(
      "localhost",
      `sslmode=verify-full&channel_binding=require&${TRUSTED}`,
      asking.port,
    );
    expect(await outcome(address)).toContain("does not bind the login");
    expect(asking.heard).toContain(odd.username);
    expect(asking.heard).not.toContain(PASSWORD);
  });
});

describe("The Worker", () => {
  /** In workerd, which is told of further roots as Node is, once when it is loaded. */
  async function ask(address: string): Promise<{ status: number; code: unknown; logs: string }> {
    vi.stubEnv("NODE_EXTRA_CA_CERTS", rootPath);
    const { startStack } = await import("../support/stack.ts");
    vi.unstubAllEnvs();
    const stack = await startStack({
      startListener: false,
      vars: { DATABASE_PATIENCE_MS: "0", DATABASE_TIMEOUT_MS: "500" },
      via: () => address,
    });
    try {
      const response = await fetch(`${stack.url}/api/orders`);
      const body = (await response.json()) as { code?: unknown };
      return { status: response.status, code: body.code, logs: stack.logs() };
    } finally {
      await stack.stop();
    }
  }

  it("reads over TLS, with an odd password and by an IPv6 address", async () => {
    const seen = ask(addressOf(HOST, "sslmode=verify-full&channel_binding=require&sslrootcert=system"));
    expect(await seen).toMatchObject({ status: 200 });
  });

  it("cancels over TLS what takes too long", async () => {
    const { client } = stage.database;
    await client.query("BEGIN; LOCK TABLE public.orders");
    onTestFinished(async () => void (await client.query("ROLLBACK")));
    const seen = await ask(addressOf("localhost", "sslmode=verify-full"));
    expect(seen).toMatchObject({ status: 503, code: "database_busy" });
    expect(await encrypted("rowcast-worker")).toEqual([]);
  });

  it.each([
    ["by another name", () => addressOf("127.0.0.1", "sslmode=require&uselibpqcompat=true")],
    [
      "from an authority that it does not know",
      async () => {
        const { port } = await between(await stranger(), { port: Number(odd.port), overTls: false });
        return addressOf("localhost", "sslmode=require", port);
      },
    ],
  ])("refuses a certificate %s, and the log says what to do", async (_, address) => {
    const { status, code, logs } = await ask(await address());
    expect({ status, code }).toEqual({ status: 503, code: "database_unavailable" });
    expect(logs).toContain(
      "the TLS handshake with the database failed: its certificate has to name the host",
    );
    expect(logs).not.toContain("p%40");
  });
});
