import { expect, test } from "vitest";
import { rememberSeen } from "./seen.ts";

test("resolves for a transaction that has been seen, and for one that comes later", async () => {
  const seen = rememberSeen();
  seen.add("1");
  await seen.wait("1");
  const later = seen.wait("2");
  seen.add("2");
  await later;
});

test("remembers a bounded number of transactions, the newest", async () => {
  const seen = rememberSeen(2);
  for (const xid of ["1", "2", "3"]) seen.add(xid);
  await seen.wait("2");
  const forgotten = seen.wait("1");
  seen.close();
  await expect(forgotten).rejects.toThrow("closed");
});

test("a reset ends every wait, because what was written is in the snapshot that is loaded next", async () => {
  const seen = rememberSeen();
  const waiting = seen.wait("1");
  seen.settle();
  await waiting;
});
