import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Item } from "./histories.ts";
import {
  createOf,
  nextWrite,
  refusedWith,
  withAnswer,
  withAttempt,
  type Outbox,
  type Write,
} from "./outbox.ts";
import { isOverlaid, overlaid } from "./overlay.ts";

const keyOf = ({ id }: Item) => id;
const UNSENT = { since: 0, attempt: 0, answer: null, twin: null };

/** A list of writes: to rows of the server (1, 2), and to rows that are created first (-1, -2). */
const outboxes = fc
  .array(fc.record({ key: fc.constantFrom(1, 2, -1, -2), v: fc.nat(9), isRemove: fc.boolean() }), {
    maxLength: 12,
  })
  .map((wishes) => {
    const created = new Set<number>();
    return wishes.map(({ key, v, isRemove }, n): Write<Item> => {
      const isNew = key < 0 && !created.has(key);
      created.add(key);
      const kind = isNew ? "create" : isRemove ? "remove" : "update";
      return {
        id: `w${n}`,
        kind,
        key,
        fields: kind === "remove" ? {} : { v },
        base: { id: key, v },
        ...UNSENT,
      };
    });
  });

/** Sends the first one and answers it, as long as there is any; `refuses` says which are refused. */
function drain(outbox: Outbox<Item>, refuses: (write: Write<Item>) => boolean) {
  const sent: Write<Item>[] = [];
  let left = outbox;
  for (let write = nextWrite(left, new Set()); write; write = nextWrite(left, new Set())) {
    sent.push(write);
    if (refuses(write)) {
      const gone = refusedWith(left, write.id);
      left = left.filter((each) => !gone.includes(each));
      continue;
    }
    const id = write.kind === "create" ? 100 + Math.abs(Number(write.key)) : write.base.id;
    const data = write.kind === "remove" ? null : { ...write.base, ...write.fields, id };
    left = withAnswer(withAttempt(left, write.id), write.id, { data, xid: write.id, at: 0 }, keyOf);
  }
  return { sent, left };
}

test("whatever is in it, the writes of a row are sent in their order, and one to a row that was created with its own key", () => {
  fc.assert(
    fc.property(outboxes, (outbox) => {
      const { sent, left } = drain(outbox, () => false);
      expect(sent.map(({ id }) => id)).toEqual(outbox.map(({ id }) => id));
      for (const { kind, key, base } of sent) {
        expect(base.id).toBe(key);
        if (kind !== "create") expect(key).toBeGreaterThan(0);
      }
      expect(left.every(({ answer, attempt }) => answer !== null && attempt === 1)).toBe(true);
    }),
  );
});

test("whatever is refused, nothing is laid over the server's rows once the rest is confirmed", () => {
  fc.assert(
    fc.property(outboxes, fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }), (outbox, no) => {
      const { sent, left } = drain(outbox, ({ id }) => no[Number(id.slice(1))] ?? false);
      const confirmed = left.filter(({ answer }) => answer === null);
      expect(confirmed).toEqual([]);
      for (const key of [1, 2, -1, -2, 101, 102]) {
        const row = { id: key, v: 0 };
        expect(overlaid(confirmed, key, row)).toBe(row);
        expect(isOverlaid(confirmed, key)).toBe(false);
      }
      // what was to be done with a row that was not created has not been sent
      const lost = sent
        .filter(({ kind, id }) => kind === "create" && no[Number(id.slice(1))])
        .map(({ key }) => key);
      expect(sent.filter(({ kind, key }) => kind !== "create" && lost.includes(key))).toEqual([]);
    }),
  );
});

test("what is laid over a row is what doing the writes to it one after the other would give", () => {
  fc.assert(
    fc.property(outboxes, fc.constantFrom(1, 2, -1, -2), (outbox, key) => {
      let expected: Item | undefined = key > 0 ? { id: key, v: 50 } : undefined;
      const server = expected;
      for (const { kind, fields, base } of outbox.filter((write) => write.key === key)) {
        if (kind === "create") expected = base;
        else if (kind === "remove") expected = undefined;
        else expected &&= { ...expected, ...fields };
      }
      expect(overlaid(outbox, key, server)).toEqual(expected);
    }),
  );
});

test("a row is taken for the one that is being created only when that has been sent and every field is the same", () => {
  const write: Write<Item> = {
    id: "w",
    kind: "create",
    key: -1,
    fields: { v: 7 },
    base: { id: -1, v: 7 },
    ...UNSENT,
  };
  const sent = withAttempt([write], "w");
  expect(createOf([write], { id: 5, v: 7 })).toBeUndefined();
  expect(createOf(sent, { id: 5, v: 8 })).toBeUndefined();
  expect(createOf(sent, { id: 5, v: 7 })?.id).toBe("w");
  expect(createOf(sent, { id: 5, v: "7.00" as never })?.id).toBe("w");
});
