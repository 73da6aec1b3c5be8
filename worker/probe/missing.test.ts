import { env } from "cloudflare:workers";
import { reset } from "cloudflare:test";
import { afterEach, beforeEach, expect, it } from "vitest";
import { FakeListener, outboxChange } from "../../test/support/worker.ts";
import type { Env } from "../env.ts";
import { missingHop, type Lost } from "./missing.ts";

let listener: FakeListener;
let lost: Lost;
beforeEach(async () => {
  listener = new FakeListener();
  const [epoch = ""] = (await started(listener)).split(".");
  const at = Date.now();
  lost = {
    id: "a-token-1",
    since: { epoch, seq: 0 },
    waitMs: 5,
    hub: "enam:0",
    written: { xid: "7", captured: true, clock: { sentAt: at, receivedAt: at, at } },
    known: { startedAt: at, writtenAt: at, databaseOffset: 0 },
  };
});
afterEach(() => reset());

async function started(fake: FakeListener): Promise<string> {
  await fake.start();
  return (await fake.deliver()).position;
}

const missing = async (of: Lost) => {
  const { code, members, detail } = await missingHop(env as Env, of);
  return { code, detail, probe: members["probe"] };
};

it("is the hub's when the log has the change, however much came with it", async () => {
  await listener.deliver(outboxChange(), outboxChange());
  await listener.deliver(outboxChange(), outboxChange({ data: { token: "a-token-1" } }));
  expect(await missing(lost)).toMatchObject({
    code: "probe_timeout",
    detail: expect.stringContaining("the hub enam:0 did not send it"),
    probe: { missing: "hub", xid: "7", hops: [{ hop: "database" }, { hop: "listener" }] },
  });
});

it("is the listener's when the log has it not, though it has others", async () => {
  await listener.deliver(outboxChange());
  expect(await missing(lost)).toMatchObject({ probe: { missing: "listener", hops: [{ hop: "database" }] } });
});

it("is the listener's too when the log has begun anew meanwhile", async () => {
  const since = { epoch: "another", seq: 0 };
  expect(await missing({ ...lost, since })).toMatchObject({ probe: { missing: "listener" } });
});

it("is the outbox's when the change was not captured", async () => {
  const written = { ...lost.written, captured: false };
  expect(await missing({ ...lost, written })).toMatchObject({ probe: { missing: "outbox" } });
});
