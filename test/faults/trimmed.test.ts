/** A short history, and an outbox that keeps nothing: what is trimmed under a client, and what must not be. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { SMALL_CAST } from "./cast.ts";
import { askOnce } from "./cluster.ts";
import { begin, type Play } from "./play.ts";
import { dice as makeDice } from "./random.ts";

const HISTORY = 500;

let play: Play;
beforeAll(async () => {
  play = await begin({
    dice: makeDice(7).fork("writers"),
    roles: SMALL_CAST,
    listener: { KEEPALIVE_MS: "500", OUTBOX_RETENTION_MS: "0" },
    vars: { HISTORY_MAX_CHANGES: String(HISTORY) },
    impatient: true,
  });
});
afterAll(() => play?.stop());

async function unequal(): Promise<string[]> {
  const differences = await Promise.all(play.cast.shelves.map((shelf) => shelf.difference()));
  return differences.flat();
}

test("a client that was away longer than history reaches is reset, and then shows the right rows", async () => {
  const away = play.followers.filter(({ way }) => way !== "polling");
  for (const follower of away) follower.goAway();
  play.writers.allow(10 * HISTORY);
  await play.writers.spent(20_000);
  for (const follower of away) follower.comeBack();
  await play.calm();
  for (const { account } of away) {
    expect(account.resets.map(({ reason }) => reason)).toEqual(["expired"]);
    expect(account.complaints).toEqual([]);
  }
  await expect.poll(unequal, { timeout: 10_000 }).toEqual([]);
});

test("pruning keeps up, and takes nothing that the log has not stored, whatever dies", async () => {
  const { seats, cluster } = play.ground;
  const [first, second] = seats;
  const rows = async (): Promise<number> => {
    const [row] = await askOnce<{ count: number }>(
      cluster.url,
      "SELECT count(*)::int AS count FROM rowcast.changes",
    );
    return row?.count ?? 0;
  };
  second.start();
  play.writers.allow(100_000);
  for (let round = 0; round < 3; round += 1) {
    first.toWorker.treatment = "lose answer";
    await play.writers.spent(500);
    await second.end("SIGKILL");
    await play.writers.spent(500);
    first.toWorker.treatment = "refuse";
    await play.writers.spent(500);
    first.toWorker.treatment = "pass";
    await first.end("SIGKILL");
    first.start();
    second.start();
  }
  await play.calm();
  // Nobody could say so from the outbox any more: numbers without a gap and the rows themselves do.
  for (const { account } of play.followers) expect(account.complaints).toEqual([]);
  await expect.poll(unequal, { timeout: 10_000 }).toEqual([]);
  await expect.poll(rows, { timeout: 20_000, interval: 500 }).toBe(1);
});
