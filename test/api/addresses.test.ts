/** Logins and hosts that are odd and allowed: for the listener and for the Worker's adapter, with a real server. */
import { networkInterfaces } from "node:os";
import { expect, onTestFinished, test } from "vitest";
import { openApi } from "./api.ts";
import { setStage } from "../listener/stage.ts";

const PASSWORD = "p@/:#?% &é\"'\\+";
const stage = setStage();
const hasIpv6 = Object.values(networkInterfaces())
  .flat()
  .some((each) => each?.address === "::1");

/** A login with that password and the rights of both roles. */
async function login(): Promise<URL> {
  const { client } = stage.database;
  const name = `odd_${Date.now()}`;
  await client.query(`CREATE ROLE ${name} LOGIN PASSWORD ${client.escapeLiteral(PASSWORD)}`);
  await client.query(`GRANT rowcast_api, rowcast_listener TO ${name}`);
  onTestFinished(async () => void (await client.query(`DROP ROLE ${name}`)));
  const url = new URL(stage.database.url);
  url.username = name;
  url.password = encodeURIComponent(PASSWORD);
  return url;
}

async function expectToWork(url: URL): Promise<void> {
  const log = await stage.openLog();
  const listener = await stage.startReady(log, { DATABASE_URL: url.href });
  await stage.insert(1);
  await log.until(() => log.changes.length > 0);
  expect(JSON.stringify(listener.lines)).not.toContain("%40");
  const api = openApi({ DATABASE_URL: url.href });
  expect((await api.get("/api/orders")).status).toBe(200);
  await api.settle();
  await listener.end("SIGTERM");
}

test("a password of signs that mean something in an address", async () => {
  await expectToWork(await login());
});

test.runIf(hasIpv6)("a host that is an IPv6 address", async () => {
  const url = await login();
  url.hostname = "[::1]";
  await expectToWork(url);
});

test("a login that is refused says what to check, and not the password", async () => {
  const log = await stage.openLog();
  const url = await login();
  url.password = "wrong-secret";
  const listener = stage.start(log, { DATABASE_URL: url.href });
  const { reason } = await listener.line("reconnecting to Postgres");
  expect(reason).toContain("check the password in DATABASE_URL");
  expect(JSON.stringify(listener.lines)).not.toContain("wrong-secret");
});
