import * as fc from "fast-check";
import { expect, test } from "vitest";
import type { Key } from "../rows.ts";
import { open, serverWith, settled } from "../../test/client/fake-server.ts";

const step = fc.oneof(
  fc.record({ do: fc.constant("create" as const), v: fc.nat(20) }),
  fc.record({ do: fc.constant("update" as const), pick: fc.nat(9), v: fc.nat(20) }),
  fc.record({ do: fc.constant("remove" as const), pick: fc.nat(9) }),
  fc.record({ do: fc.constant("deliver" as const), count: fc.nat(3) }),
  fc.record({
    do: fc.constant("fate" as const),
    fate: fc.constantFrom("answered" as const, "lost" as const, "answer-lost" as const, "hangs" as const),
  }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.nat(40_000) }),
  fc.record({ do: fc.constant("break" as const), id: fc.integer({ min: 1, max: 13 }) }),
  fc.constant({ do: "welcome" as const }),
  fc.constant({ do: "reset" as const }),
  fc.constant({ do: "settle" as const }),
);

test("whatever is written, lost, refused and brought, in the end the rows are the server's, and each write was done once, in order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const server = serverWith({ id: 1, v: 1 }, { id: 2, v: 2 });
      const { collection, deliver, welcome, reset, pass, shown } = open(server);
      await settled();
      /** What was done to each row, by ids of writes; rows that were created here by the key of their draft. */
      const made = new Map<Key, string[]>();
      const drafts = new Map<Key, Key>();
      const pick = (at: number) => shown()[at % Math.max(1, shown().length)]?.id;
      const record = ({ id, key }: { readonly id: string; readonly key: Key }): void => {
        const row = drafts.get(key) ?? key;
        made.set(row, [...(made.get(row) ?? []), id]);
      };
      for (const each of steps) {
        if (each.do === "create") {
          const write = collection.create({ v: each.v });
          record(write);
          void write.done.then((row) => row && drafts.set(row.id, write.key));
        } else if (each.do === "deliver") deliver(each.count);
        else if (each.do === "fate") server.fate = each.fate;
        else if (each.do === "break") server.broken.add(each.id);
        else if (each.do === "pass") await pass(each.ms);
        else if (each.do === "welcome") welcome();
        else if (each.do === "reset") reset();
        else if (each.do === "settle") await settled();
        else {
          const key = pick(each.pick);
          if (key === undefined) continue;
          record(each.do === "update" ? collection.update(key, { v: each.v }) : collection.remove(key));
          if (each.do === "update") expect(collection.rows.get().get(key)?.v).toBe(each.v);
          else expect(collection.rows.get().has(key)).toBe(false);
        }
      }
      server.fate = "answered";
      server.broken.clear();
      await pass(60_000); // what hangs is given up
      welcome();
      await settled();
      deliver();
      expect(collection.pending.get()).toEqual([]);
      expect(shown()).toEqual([...server.rows.values()].toSorted((a, b) => a.id - b.id));
      const first = [...new Set(server.asked)];
      for (const ids of made.values()) expect(first.filter((id) => ids.includes(id))).toEqual(ids);
      expect(first).toHaveLength([...made.values()].flat().length);
      expect(server.done).toBe(first.length);
    }),
    { numRuns: 300 },
  );
});
