import { env as testEnv } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from "jose";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Env } from "../env.ts";
import { app } from "../app.ts";
import { addressOf } from "../http/caller.ts";
import { call, FakeListener, outboxChange, TestSocket } from "../../test/support/worker.ts";

const env = testEnv as unknown as Env;
const SECRET = "test-jwt-secret-0123456789-0123456789";
const PREVIOUS = "previous-jwt-secret-0123456789-0123456789";
const now = (): number => Math.floor(Date.now() / 1000);

afterEach(async () => {
  vi.restoreAllMocks();
  await reset();
});

function sign(claims: Record<string, unknown> = {}, secret = SECRET, alg = "HS256"): Promise<string> {
  return new SignJWT({ sub: "ada", role: "write", exp: now() + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(new TextEncoder().encode(secret));
}

/** A request to the app with other variables than those of these tests. */
async function ask(
  vars: Partial<Env>,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; code: string | undefined; headers: Headers; text: string }> {
  const ctx = {
    props: {},
    waitUntil: () => undefined,
    passThroughOnException: () => undefined,
  } as unknown as ExecutionContext;
  const response = await app.request(`http://rowcast.test${path}`, init, { ...env, ...vars }, ctx);
  const text = response.status === 101 || path.startsWith("/sse") ? "" : await response.text();
  const code = /"code":"(\w+)"/.exec(text)?.[1];
  await response.body?.cancel().catch(() => undefined);
  return { status: response.status, code, headers: response.headers, text };
}

const bearer = (token: string): RequestInit => ({ headers: { Authorization: `Bearer ${token}` } });

describe("somebody without a token", () => {
  it.each([
    [undefined, 401, 401],
    ["none", 401, 401],
    ["WRITE", 401, 401],
    ["read", 200, 401],
    ["write", 200, 503],
  ])("with ANONYMOUS=%s reads with %i and writes with %i", async (anonymous, reads, writes) => {
    const vars = { ANONYMOUS: anonymous } as Partial<Env>;
    expect((await ask(vars, "/api/changes")).status).toBe(reads);
    const written = await ask(vars, "/api/orders/1", { method: "DELETE" });
    expect(written.status).toBe(writes); // 503: allowed, and there is no database here
    if (writes === 401) expect(written.headers.get("WWW-Authenticate")).toContain("Bearer");
    expect((await ask(vars, "/sse")).status).toBe(reads);
    expect((await ask(vars, "/ws", { headers: { Upgrade: "websocket" } })).status).toBe(
      reads === 200 ? 101 : 401,
    );
    expect((await ask(vars, "/api/ticket", { method: "POST" })).status).toBe(reads === 200 ? 201 : 401);
    expect((await ask(vars, "/health")).status).toBe(200);
    expect((await ask(vars, "/api/docs")).status).toBe(200);
  });
});

describe("JURISDICTION", () => {
  it("that is none known stores nothing anywhere, and says so", async () => {
    for (const [path, init] of [
      ["/health", {}],
      ["/api/changes", {}],
      ["/ws", { headers: { Upgrade: "websocket" } }],
      ["/sse", {}],
    ] as const) {
      const answer = await ask({ ANONYMOUS: "read", JURISDICTION: "EU" }, path, init);
      expect(answer, path).toMatchObject({ status: 503 });
      if (path !== "/sse") expect(answer.text).toContain("JURISDICTION has to be eu, or not set");
    }
    expect((await ask({ JURISDICTION: "" }, "/health")).status).toBe(200);
  });
});

describe("a token", () => {
  const vars = { ANONYMOUS: "none" };

  it("lets its bearer in, signed with the present secret or with the former", async () => {
    for (const secret of [SECRET, PREVIOUS])
      expect((await ask(vars, "/api/changes", bearer(await sign({}, secret)))).status).toBe(200);
  });

  it("with the role read reads and does not write", async () => {
    const token = await sign({ role: "read" });
    expect((await ask(vars, "/api/changes", bearer(token))).status).toBe(200);
    const answer = await ask(vars, "/api/orders/1", { method: "DELETE", ...bearer(token) });
    expect(answer).toMatchObject({ status: 403, code: "forbidden" });
  });

  it.each<[string, () => Promise<string> | string, string]>([
    ["expired", () => sign({ exp: now() - 60 }), "token_expired"],
    ["expired, with the former secret", () => sign({ exp: now() - 60 }, PREVIOUS), "token_expired"],
    ["without an end", () => sign({ exp: undefined }), "unauthorized"],
    ["not valid yet", () => sign({ nbf: now() + 600 }), "unauthorized"],
    ["without a role", () => sign({ role: undefined }), "unauthorized"],
    ["with a role that is none", () => sign({ role: "admin" }), "unauthorized"],
    ["with a filter that is none", () => sign({ filter: ["orders"] }), "unauthorized"],
    [
      "with a filter too large",
      () => sign({ filter: { orders: { id: Array.from({ length: 900 }, (_, i) => i + 1_000_000) } } }),
      "unauthorized",
    ],
    ["signed with another secret", () => sign({}, "another-secret-0123456789-0123456789-01"), "unauthorized"],
    ["signed with HS512", () => sign({}, SECRET, "HS512"), "unauthorized"],
    [
      "not signed (alg none)",
      () => new UnsecuredJWT({ role: "write", exp: now() + 60 }).encode(),
      "unauthorized",
    ],
    ["not a JWT", () => "abc.def.ghi", "unauthorized"],
    ["empty parts", () => "..", "unauthorized"],
    ["very long", () => "a".repeat(10_000), "unauthorized"],
    ["the ingest secret", () => env.INGEST_SECRET, "unauthorized"],
  ])("is not accepted when it is %s, even where none is needed", async (_name, make, code) => {
    const token = await make();
    for (const anonymous of ["none", "write"]) {
      const answer = await ask({ ANONYMOUS: anonymous }, "/api/changes", bearer(token));
      expect(answer).toMatchObject({ status: 401, code });
      expect(answer.text).not.toContain(token.slice(0, 40));
    }
  });

  it.each(["Basic YTpi", "Bearer", "Bearer a b", "Bearer \u00e9"])("is not read from %j", async (value) => {
    const headers = new Headers();
    try {
      headers.set("Authorization", value);
    } catch {
      return; // not a header that can be sent
    }
    expect(await ask({ ANONYMOUS: "write" }, "/api/changes", { headers })).toMatchObject({ status: 401 });
  });

  it("has to come from JWT_ISSUER and be meant for JWT_AUDIENCE where these are set", async () => {
    const strict = { ...vars, JWT_ISSUER: "https://issuer.test", JWT_AUDIENCE: "rowcast" };
    const right = await sign({ iss: "https://issuer.test", aud: "rowcast" });
    expect((await ask(strict, "/api/changes", bearer(right))).status).toBe(200);
    for (const claims of [{}, { iss: "https://issuer.test" }, { iss: "https://evil.test", aud: "rowcast" }])
      expect((await ask(strict, "/api/changes", bearer(await sign(claims)))).status).toBe(401);
  });

  it("is refused with the reason when no keys are set here", async () => {
    const answer = await ask(
      { ...vars, JWT_SECRET: "short", JWT_SECRET_PREVIOUS: "" },
      "/api/changes",
      bearer(await sign()),
    );
    expect(answer).toMatchObject({ status: 401, code: "unauthorized" });
    expect(answer.text).toContain("JWT_SECRET");
  });
});

describe("a token signed with a private key", () => {
  const JWKS = "https://keys.test/jwks.json";

  it("is checked with the public keys, which no token can use as a secret", async () => {
    const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
    const jwk = { ...(await exportJWK(publicKey)), kid: "k1", alg: "RS256", use: "sig" };
    const asked = vi
      .spyOn(globalThis, "fetch")
      .mockImplementation(() => Promise.resolve(Response.json({ keys: [jwk] })));
    const vars = { ANONYMOUS: "none", JWT_JWKS_URL: JWKS };
    const claims = { sub: "ada", role: "read", exp: now() + 60 };
    const token = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(privateKey);
    expect((await ask(vars, "/api/changes", bearer(token))).status).toBe(200);
    expect((await ask(vars, "/api/changes", bearer(token))).status).toBe(200);
    expect(asked).toHaveBeenCalledTimes(1); // and kept

    // The classic confusion: HS256 with the public key, which everybody knows, as the secret.
    for (const secret of [await exportSPKI(publicKey), JSON.stringify(jwk), String(jwk.n)]) {
      const forged = await new SignJWT({ ...claims, role: "write" })
        .setProtectedHeader({ alg: "HS256", kid: "k1" })
        .sign(new TextEncoder().encode(secret));
      expect((await ask(vars, "/api/changes", bearer(forged))).status).toBe(401);
      const bare = { ...vars, JWT_SECRET: "", JWT_SECRET_PREVIOUS: "" };
      expect((await ask(bare, "/api/changes", bearer(forged))).status).toBe(401);
    }
    const { privateKey: other } = await generateKeyPair("RS256");
    const stranger = await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k1" }).sign(other);
    expect((await ask(vars, "/api/changes", bearer(stranger))).status).toBe(401);
  });

  it("is answered with 503 while the keys cannot be fetched", async () => {
    vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.reject(new TypeError("no route")));
    vi.spyOn(console, "error").mockReturnValue();
    const { privateKey } = await generateKeyPair("ES256");
    const token = await new SignJWT({ role: "read", exp: now() + 60 })
      .setProtectedHeader({ alg: "ES256" })
      .sign(privateKey);
    const answer = await ask(
      { ANONYMOUS: "none", JWT_JWKS_URL: "https://away.test/jwks.json" },
      "/api/changes",
      bearer(token),
    );
    expect(answer.status).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("5");
  });
});

it("with an address of keys that is none, says which variable to mend", async () => {
  vi.spyOn(console, "error").mockReturnValue();
  const { privateKey } = await generateKeyPair("ES256");
  const token = await new SignJWT({ role: "read", exp: now() + 60 })
    .setProtectedHeader({ alg: "ES256" })
    .sign(privateKey);
  const answer = await ask({ ANONYMOUS: "none", JWT_JWKS_URL: "keys" }, "/api/changes", bearer(token));
  expect(answer.status).toBe(503);
  expect(answer.text).toContain("JWT_JWKS_URL");
});

describe("a ticket", () => {
  const mint = async (token: string): Promise<string> => {
    const response = await call("/api/ticket", { method: "POST", ...bearer(token) });
    expect(response.status).toBe(201);
    return (await response.json<{ ticket: string }>()).ticket;
  };
  const upgrade = (ticket: string): Promise<Response> =>
    call(`/ws?ticket=${encodeURIComponent(ticket)}`, { headers: { Upgrade: "websocket" } });

  it("opens one stream, at the hub that it names, and no second", async () => {
    const ticket = await mint(await sign());
    const first = await upgrade(ticket);
    expect(first.status).toBe(101);
    first.webSocket?.accept();
    const second = await upgrade(ticket);
    expect(second.status).toBe(401);
    expect(await second.json()).toMatchObject({ code: "bad_ticket" });
    const sse = await call(`/sse?ticket=${encodeURIComponent(ticket)}`);
    expect(sse.status).toBe(401);
    first.webSocket?.close();
  });

  it("is nothing when it is made up, changed, a token, or signed with another key", async () => {
    const ticket = await mint(await sign());
    const [head, body = "", signature] = ticket.split(".");
    const changed = JSON.parse(atob(body.replaceAll("-", "+").replaceAll("_", "/"))) as {
      access: { role: string };
    };
    changed.access.role = "write";
    const forged = btoa(JSON.stringify({ ...changed, hub: "weur:0" }))
      .replaceAll("=", "")
      .replaceAll("+", "-")
      .replaceAll("/", "_");
    for (const text of ["x", "", `${head}.${forged}.${signature}`, await sign(), ticket.slice(0, -3)])
      expect((await upgrade(text)).status).toBe(401);
  });

  it("opens nothing but streams", async () => {
    const ticket = await mint(await sign());
    expect((await ask({ ANONYMOUS: "none" }, `/api/changes?ticket=${ticket}`)).status).toBe(401);
    expect((await ask({ ANONYMOUS: "none" }, "/api/changes", bearer(ticket))).status).toBe(401);
    expect((await ask({}, "/internal/changes", bearer(ticket))).status).toBe(401);
  });
});

describe("a token's pin", () => {
  let listener: FakeListener;
  beforeEach(async () => {
    listener = new FakeListener();
    await listener.start();
  });
  const PIN = { orders: { customer_name: ["Ada"] } };
  const order = (id: number, customer_name: string) => ({ id, customer_name, status: "pending" });

  async function open(claims: Record<string, unknown>): Promise<TestSocket> {
    const response = await call("/api/ticket", { method: "POST", ...bearer(await sign(claims)) });
    const { ticket } = await response.json<{ ticket: string }>();
    return TestSocket.open(`?ticket=${encodeURIComponent(ticket)}`);
  }

  it("is what the stream and the history show, rows that come and go included", async () => {
    const position = (await (await call("/api/changes")).json<{ position: string }>()).position;
    const socket = await open({ filter: PIN });
    await socket.next("welcome");
    await listener.deliver(
      outboxChange({ key: { id: 1 }, data: order(1, "Ada") }),
      outboxChange({ key: { id: 2 }, data: order(2, "Eve") }),
      outboxChange({
        operation: "UPDATE",
        key: { id: 1 },
        data: order(1, "Eve"),
        old: { customer_name: "Ada" },
      }),
      outboxChange({
        operation: "UPDATE",
        key: { id: 2 },
        data: order(2, "Ada"),
        old: { customer_name: "Eve" },
      }),
      outboxChange({ table: "salaries", key: { id: 9 }, data: { id: 9, customer_name: "Ada" } }),
    );
    const expected = [
      { operation: "INSERT", data: order(1, "Ada") },
      { operation: "DELETE", data: order(1, "Ada"), old: null },
      { operation: "INSERT", data: order(2, "Ada"), old: null },
    ];
    expect(await socket.changes(3)).toMatchObject(expected);
    expect(JSON.stringify(socket.frames)).not.toContain("Eve");

    const token = await sign({ filter: PIN });
    const history = await ask({}, `/api/changes?since=${position}`, bearer(token));
    expect(JSON.parse(history.text)).toMatchObject({ changes: expected });
    expect(history.text).not.toContain("Eve");
    const [epoch] = position.split(".");
    expect(await ask({}, `/api/changes/${epoch}/0-5`, bearer(token))).toMatchObject({ status: 403 });
    socket.close();
  });

  it("is never widened by what the client subscribes to", async () => {
    const socket = await open({ filter: PIN });
    await socket.next("welcome");
    socket.send({ type: "subscribe", tables: ["orders", "salaries"] });
    await socket.next("subscribed");
    await listener.deliver(
      outboxChange({ table: "salaries", key: { id: 9 }, data: { id: 9 } }),
      outboxChange({ key: { id: 2 }, data: order(2, "Eve") }),
      outboxChange({ key: { id: 1 }, data: order(1, "Ada") }),
    );
    expect(await socket.changes(1)).toMatchObject([{ key: { id: 1 } }]);
    expect(JSON.stringify(socket.frames)).not.toMatch(/Eve|"table":"salaries"/);
    socket.close();
  });
});

describe("who may stream", () => {
  it("is closed with 4401 when the token runs out", async () => {
    const token = await sign({ exp: now() + 2 });
    const response = await call("/ws", {
      headers: { Upgrade: "websocket", Authorization: `Bearer ${token}` },
    });
    const { webSocket } = response;
    const closed = new Promise<number>((resolve) =>
      webSocket?.addEventListener("close", ({ code }) => resolve(code)),
    );
    webSocket?.accept();
    expect(await closed).toBe(4401);
  });

  it("has to come from the page's own origin, or one that is allowed", async () => {
    const from = (origin: string, vars: Partial<Env> = {}) => ({
      ws: ask(vars, "/ws", { headers: { Upgrade: "websocket", Origin: origin } }),
      sse: ask(vars, "/sse", { headers: { Origin: origin } }),
    });
    for (const answer of Object.values(from("https://evil.test"))) expect((await answer).status).toBe(403);
    for (const origin of ["null", "http://rowcast.test.evil.test", "http://rowcast.test:81"])
      expect((await from(origin).ws).status).toBe(403);
    expect((await from("http://rowcast.test").ws).status).toBe(101);
    expect(
      (await from("https://app.test", { ALLOWED_ORIGINS: "https://other.test, https://app.test" }).ws).status,
    ).toBe(101);
    const page = await ask({ ALLOWED_ORIGINS: "https://app.test" }, "/api/changes", {
      headers: { Origin: "https://app.test" },
    });
    expect(page.headers.get("Access-Control-Allow-Origin")).toBe("https://app.test");
    const stranger = await ask({}, "/api/changes", { headers: { Origin: "https://evil.test" } });
    expect(stranger.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });

  it("may hold so many sockets and no more", async () => {
    const token = await sign({ sub: "many" });
    const headers = {
      Upgrade: "websocket",
      Authorization: `Bearer ${token}`,
      "CF-Connecting-IP": "203.0.113.7",
    };
    const sockets: WebSocket[] = [];
    let last = 101;
    for (let i = 0; i < 60 && last === 101; i += 1) {
      const response = await call("/ws", { headers });
      last = response.status;
      if (response.webSocket) {
        response.webSocket.accept();
        sockets.push(response.webSocket);
      } else {
        expect(await response.json()).toMatchObject({ code: "too_many_sockets" });
        expect(response.headers.get("Retry-After")).toBe("30");
      }
    }
    expect(sockets).toHaveLength(50);
    for (const socket of sockets) socket.close();
  });
});

describe("limits", () => {
  it("answer 429 with Retry-After when the platform says so, counted by token or by a hash of the address", async () => {
    const keys: string[] = [];
    const limit = {
      limit: ({ key }: { key: string }) => Promise.resolve({ success: keys.push(key) < 3 }),
    } as unknown as RateLimit;
    const vars = { RATE_LIMITS: "on", READ_LIMIT: limit };
    const headers = { "CF-Connecting-IP": "203.0.113.7" };
    expect((await ask(vars, "/api/changes", { headers })).status).toBe(200);
    expect((await ask(vars, "/api/changes", bearer(await sign()))).status).toBe(200);
    const answer = await ask(vars, "/api/changes", { headers });
    expect(answer).toMatchObject({ status: 429, code: "too_many_requests" });
    expect(answer.headers.get("Retry-After")).toBe("60");
    // Refused tokens are counted too, by where they come from.
    const before = keys.length;
    expect(
      await ask(vars, "/api/changes", { headers: { ...headers, Authorization: "Bearer x.y.z" } }),
    ).toMatchObject({
      status: 429,
    });
    expect(keys.slice(before)).toEqual([keys[0]]);
    expect(keys[0]).toMatch(/^address [0-9a-f]{16}$/);
    expect(keys[1]).toBe("subject ada");
  });

  it("count a token that names no subject by itself, however its signature is spelled", async () => {
    const keys: string[] = [];
    const limit = {
      limit: ({ key }: { key: string }) => Promise.resolve({ success: keys.push(key) > 0 }),
    } as unknown as RateLimit;
    const [token, other] = [await sign({ sub: undefined }), await sign({ sub: undefined, exp: now() + 61 })];
    // The last of 43 characters holds 4 bits of the signature, and 2 that say nothing.
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const respelled = token.slice(0, -1) + (alphabet[alphabet.indexOf(token.at(-1) ?? "") ^ 1] ?? "");
    const holders = [];
    for (const text of [token, respelled, other]) {
      const answer = await ask({ RATE_LIMITS: "on", READ_LIMIT: limit }, "/api/changes", bearer(text));
      if (answer.status === 200) holders.push(keys.at(-1));
    }
    expect(holders[0]).toMatch(/^token [0-9a-f]{16}$/);
    expect(new Set(holders.slice(0, -1)).size).toBe(1);
    expect(holders.at(-1)).not.toBe(holders[0]);
  });

  const ARRIVALS = [
    ["/ws", { headers: { Upgrade: "websocket" } }],
    ["/sse", {}],
    ["/api/ticket", { method: "POST" }],
  ] as const;
  /** One who arrives there, from that address. */
  const arrive = (
    [path, init]: (typeof ARRIVALS)[number],
    address: string,
    vars: Partial<Env> = {},
    headers: Record<string, string> = {},
  ) =>
    ask({ RATE_LIMITS: "on", ...vars }, path, {
      ...init,
      headers: { ...("headers" in init && init.headers), "CF-Connecting-IP": address, ...headers },
    });

  it("let hundreds come back from one address in a minute, then refuse it and nobody else", async () => {
    // Of wrangler.toml, as it is played here.
    const limit = env.CONNECT_LIMIT as RateLimit;
    const statuses = async (address: string, vars?: Partial<Env>, headers?: Record<string, string>) => {
      const answers = [];
      for (const arrival of ARRIVALS) answers.push(await arrive(arrival, address, vars, headers));
      return answers.map(({ status, headers }) => [status, headers.get("Retry-After")]);
    };
    const welcome = [
      [101, null],
      [200, null],
      [201, null],
    ];
    const tooMany = ARRIVALS.map(() => [429, "60"]);
    /** False when it did not happen within one minute of the clock, by which the limit counts. */
    const tryWith = async (address: string, other: string) => {
      const minute = () => Math.floor(Date.now() / 60_000);
      const begun = minute();
      const request = new Request("http://rowcast.test", { headers: { "CF-Connecting-IP": address } });
      const key = `address ${await addressOf(request)}`;
      await Promise.all(Array.from({ length: 1_200 - ARRIVALS.length }, () => limit.limit({ key })));
      const seen = [
        await statuses(address),
        await statuses(address),
        await statuses(address, {}, { Authorization: "Bearer x.y.z" }), // before a token is looked at
        await statuses(address, { RATE_LIMITS: "off" }),
        await statuses(other),
      ];
      if (minute() !== begun) return false;
      expect(seen).toEqual([welcome, tooMany, tooMany, welcome, welcome]);
      return true;
    };
    if (!(await tryWith("203.0.113.8", "203.0.113.9"))) await tryWith("203.0.113.10", "203.0.113.11");
  });

  it.each(ARRIVALS.map((arrival) => [arrival[0], arrival] as const))(
    "are counted at %s by address, and by token from wherever it comes",
    async (_, arrival) => {
      const keys: string[] = [];
      const counting = {
        limit: ({ key }: { key: string }) => Promise.resolve({ success: keys.push(key) < 4 }),
      } as unknown as RateLimit;
      const token = { Authorization: `Bearer ${await sign()}` };
      const vars = { CONNECT_LIMIT: counting };
      expect((await arrive(arrival, "203.0.113.11", vars, token)).status).toBeLessThan(300);
      expect(await arrive(arrival, "203.0.113.12", vars, token)).toMatchObject({ status: 429 });
      expect(keys).toEqual([
        expect.stringMatching(/^address /),
        "subject ada",
        expect.stringMatching(/^address /),
        "subject ada",
      ]);
      expect(keys[0]).not.toBe(keys[2]);
    },
  );
});
