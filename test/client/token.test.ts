/** The SDK with tokens, against the whole: nobody gets in without, each sees their own, and a token that runs out is replaced. */
import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { promisify } from "node:util";
import { SignJWT } from "jose";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { createClient, type Client, type ClientOptions, type ConnectionState } from "../../client/index.ts";
import type { Change } from "../../protocol/change.ts";
import { startStack, type Stack } from "../support/stack.ts";

const JWT_SECRET = "a-secret-for-these-tests-0123456789";
const ADA = { orders: { customer_name: ["Ada"] } };

let stack: Stack;
let clients: Client[] = [];
const children: ChildProcess[] = [];
beforeAll(async () => {
  stack = await startStack({ vars: { ANONYMOUS: "none", JWT_SECRET, MAX_SOCKETS_PER_TOKEN: "3" } });
});
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
});
afterAll(() => stack?.stop());

function sign(claims: object = {}, seconds = 60): Promise<string> {
  return new SignJWT({ sub: "ada", role: "read", exp: Math.floor(Date.now() / 1000) + seconds, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .sign(new TextEncoder().encode(JWT_SECRET));
}

function connect(options: Partial<ClientOptions>): { client: Client; changes: Change[] } {
  const client = createClient({ url: stack.url, ...options });
  clients.push(client);
  const changes: Change[] = [];
  client.on("changes", (batch) => void changes.push(...batch.changes));
  return { client, changes };
}

function until<T extends ConnectionState["name"]>(
  client: Client,
  name: T,
): Promise<ConnectionState & { name: T }> {
  return new Promise((resolve) => {
    const look = (state: ConnectionState) => {
      if (state.name === name) resolve(state as ConnectionState & { name: T });
    };
    client.state.subscribe(look);
    look(client.state.get());
  });
}

async function write(sql: string): Promise<string> {
  const { rows } = await stack.database.client.query<{ xid: string }>(
    `WITH w AS (${sql} RETURNING 1) SELECT pg_current_xact_id()::text AS xid FROM w`,
  );
  return rows[0]?.xid ?? "";
}

const insert = (name: string) =>
  write(`INSERT INTO orders (customer_name, product_name) VALUES ('${name}', 'p')`);

test.each(["websocket", "sse"] as const)(
  "over %s a pinned token sees its own, coming and going",
  async (transport) => {
    const { client, changes } = connect({ token: await sign({ filter: ADA }), transports: [transport] });
    await until(client, "live");
    const since = client.position ?? "";
    await insert("Eve");
    await insert("Ada");
    await write("UPDATE orders SET customer_name = 'Joe' WHERE customer_name = 'Ada'");
    await client.seen(await write("UPDATE orders SET customer_name = 'Ada' WHERE customer_name = 'Eve'"));
    const names = changes.map(({ operation, data }) => [operation, data?.["customer_name"]]);
    expect(names).toEqual([
      ["INSERT", "Ada"],
      ["DELETE", "Ada"],
      ["INSERT", "Ada"],
    ]);
    expect(JSON.stringify(changes)).not.toMatch(/Eve|Joe/);

    const again = connect({ token: await sign({ filter: ADA }), transports: [transport], since });
    await until(again.client, "live");
    expect(again.changes).toEqual(changes);

    const headers = { authorization: `Bearer ${await sign({ filter: ADA })}` };
    const history = await fetch(`${stack.url}/api/changes?since=${since}`, { headers });
    expect(await history.json()).toMatchObject({ success: true, changes });

    await again.client.seen(await write("DELETE FROM orders")); // or the next test would see it
  },
);

test.each(["websocket", "sse"] as const)(
  "over %s a token that runs out is replaced, with no gap",
  async (transport) => {
    let asked = 0;
    const token = async () => sign({}, asked++ === 0 ? 2 : 60);
    const { client, changes } = connect({ token, transports: [transport] });
    const gaps: unknown[] = [];
    client.on("gap", (gap) => gaps.push(gap));
    await until(client, "live");
    await insert("before");
    await until(client, "waiting");
    await insert("between");
    await until(client, "live");
    await client.seen(await insert("after"));
    expect(changes.map(({ data }) => data?.["customer_name"])).toEqual(["before", "between", "after"]);
    expect(gaps).toEqual([]);
    expect(asked).toBe(2);
  },
);

test("a token that cannot be replaced, is refused, or is missing stops the client, with the reason", async () => {
  const old = connect({ token: await sign({}, -60) });
  expect((await until(old.client, "stopped")).reason).toContain("expired");
  const forged = connect({ token: "not.a.token" });
  expect((await until(forged.client, "stopped")).reason).toContain("not accepted");
  const nobody = connect({ transports: ["sse"] });
  expect((await until(nobody.client, "stopped")).reason).toContain("token with the role read");
});

test("a token function that fails is asked again", async () => {
  let asked = 0;
  const token = () => {
    asked += 1;
    return asked === 1 ? Promise.reject(new Error("the login is away")) : sign();
  };
  const { client } = connect({ token });
  expect((await until(client, "waiting")).reason).toContain("the login is away");
  await until(client, "live");
});

test.each(["websocket", "sse"] as const)(
  "over %s one stream too many waits, and comes in when another has gone",
  async (transport) => {
    // The pause of a client that is told so is up to half a minute: here it is drawn short.
    const env = { random: () => 0.01 };
    const token = await sign({ sub: "many" });
    const open = () => connect({ token, env, transports: [transport] }).client;
    const [first, ...others] = [open(), open(), open()];
    for (const client of [first, ...others]) if (client) await until(client, "live");
    const late = open();
    const { reason } = await until(late, "waiting");
    // Only SSE is told why. That its reader has left is noticed at the next comment, 15 s later.
    if (transport === "sse") return expect(reason).toContain("holds 3 streams");
    first?.close();
    await until(late, "live");
  },
);

test("the terminal carries a token, and says when one is missing", async () => {
  const watch = (token: string) => {
    const env = { ...process.env, ROWCAST_URL: stack.url, ROWCAST_TOKEN: token, NO_COLOR: "1" };
    const child = spawn(
      process.execPath,
      ["cli/main.ts", "watch", "--json", ...(token ? [] : ["--transport", "sse"])],
      {
        env,
      },
    );
    children.push(child);
    return child;
  };
  const bare = watch("");
  let said = "";
  bare.stderr.on("data", (data: Buffer) => void (said += data.toString()));
  expect(await once(bare, "close")).toEqual([1, null]);
  expect(said).toContain("token with the role read");

  const child = watch(await sign({ filter: ADA }));
  const line = once(createInterface({ input: child.stdout }), "line");
  for await (const data of child.stderr) if (String(data).includes("live over")) break;
  await insert("Eve");
  await insert("Ada");
  const [text] = (await line) as [string];
  expect(JSON.parse(text)).toMatchObject({ data: { customer_name: "Ada" } });
});

test("the terminal's status has no line for what a pinned token is not told", async () => {
  const status = async (token: string) => {
    const env = { ...process.env, ROWCAST_URL: stack.url, ROWCAST_TOKEN: token, NO_COLOR: "1" };
    const { stdout } = await promisify(execFile)(process.execPath, ["cli/main.ts", "status"], { env });
    return stdout;
  };
  expect(await status(await sign())).toMatch(/^watching +\d+$/m);
  const pinned = await status(await sign({ filter: ADA }));
  expect(pinned).toMatch(/^listener +live$/m);
  expect(pinned).not.toMatch(/null|watching|waiting|history/);
});
