import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFreePort, isPortFree } from "../../dev/ports.ts";
import { startPostgres, type Postgres } from "../../dev/postgres.ts";
import { isAlive } from "../../dev/postgres-stale.ts";
import { connect } from "../support/postgres.ts";

let folder: string;
const servers: Postgres[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "rowcast-test-"));
  await chmod(folder, 0o755);
});
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.stop()));
  await rm(folder, { recursive: true, force: true });
});

async function start(port: number): Promise<Postgres> {
  const server = await startPostgres({ dataDir: join(folder, "postgres"), port, fsync: false });
  servers.push(server);
  return server;
}

test("a second start finds the rows of the first, and stopping leaves no process", async () => {
  const first = await start(await findFreePort());
  const client = await connect(first.url);
  await client.query("CREATE TABLE kept AS SELECT 42 AS answer");
  await client.end();
  await first.stop();
  expect(isAlive(first.pid)).toBe(false);

  const second = await start(await findFreePort());
  const again = await connect(second.url);
  expect((await again.query("SELECT answer FROM kept")).rows).toEqual([{ answer: 42 }]);
  await again.end();
});

test("a server left by a start that was killed is stopped cleanly, and its rows are kept", async () => {
  const left = await start(await findFreePort());
  const client = await connect(left.url);
  await client.query("CREATE TABLE kept AS SELECT 42 AS answer");

  const next = await start(await findFreePort());
  expect(isAlive(left.pid)).toBe(false);
  const again = await connect(next.url);
  expect((await again.query("SELECT answer FROM kept")).rows).toEqual([{ answer: 42 }]);
  await again.end();
  await client.end().catch(() => undefined);
});

test("a server that was killed outright recovers with what was committed", async () => {
  const killed = await start(await findFreePort());
  const client = await connect(killed.url);
  await client.query("CREATE TABLE kept AS SELECT 42 AS answer");
  process.kill(killed.pid, "SIGKILL");
  expect(await killed.exited).toBe("SIGKILL");

  const next = await start(await findFreePort());
  const again = await connect(next.url);
  expect((await again.query("SELECT answer FROM kept")).rows).toEqual([{ answer: 42 }]);
  await again.end();
});

test.runIf(process.platform === "linux")(
  "a lock file whose process number now belongs to another program is no obstacle, and that program lives",
  async () => {
    const first = await start(await findFreePort());
    const pidFile = join(folder, "postgres", "postmaster.pid");
    const lines = (await readFile(pidFile, "utf8")).split("\n");
    await first.stop();
    // Of the same account: another's Postgres would not take for a server of its own anyway.
    const { uid } = await stat(join(folder, "postgres"));
    const stranger = spawn("sleep", ["60"], { uid, stdio: "ignore" });
    try {
      await once(stranger, "spawn");
      await writeFile(pidFile, [String(stranger.pid), ...lines.slice(1)].join("\n"));
      await expect(start(await findFreePort())).resolves.toBeDefined();
      expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
    } finally {
      stranger.kill();
    }
  },
);

test("a taken port is named, with the variable that moves it, before anything is made", async () => {
  const port = await findFreePort();
  const holder = createServer().listen(port, "127.0.0.1");
  await new Promise((resolve) => holder.once("listening", resolve));
  try {
    expect(await isPortFree(port)).toBe(false);
    await expect(start(port)).rejects.toThrow(
      `Port ${port}, meant for Postgres, is taken. Free it, or set PG_PORT`,
    );
  } finally {
    holder.close();
  }
});

test.runIf(process.getuid?.() === 0)(
  "as root, a folder that is closed to the account of Postgres is named, and DATA_DIR",
  async () => {
    const closed = join(folder, "closed");
    await mkdir(closed, { mode: 0o700 });
    const starting = startPostgres({ dataDir: join(closed, "postgres"), port: await findFreePort() });
    await expect(starting).rejects.toThrow(new RegExp(`may not enter ${closed}\\..*DATA_DIR`));
  },
);

test("a first start that was interrupted leaves nothing that the next one trips over", async () => {
  await mkdir(join(folder, "postgres.new"));
  await writeFile(join(folder, "postgres.new", "PG_VERSION"), "18\n");
  await expect(start(await findFreePort())).resolves.toBeDefined();
});
