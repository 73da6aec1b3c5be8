import * as fc from "fast-check";
import { expect, test } from "vitest";
import { Sorted } from "./sorted.ts";

test("whatever is added and removed, it is the sorted list, and says where each one was", () => {
  const act = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constantFrom("add" as const, "remove" as const), item: fc.nat(40) }),
    },
    fc.record({ do: fc.constant("all" as const), items: fc.uniqueArray(fc.nat(40), { maxLength: 12 }) }),
  );
  fc.assert(
    fc.property(fc.array(act, { maxLength: 60 }), fc.constantFrom(Infinity, 0, 5), (acts, limit) => {
      const sorted = new Sorted<number>((a, b) => a - b, 4);
      let model: number[] = [];
      for (const each of acts) {
        if (each.do === "all") {
          const fresh = each.items.filter((item) => !model.includes(item));
          sorted.addAll(fresh);
          model = [...model, ...fresh].toSorted((a, b) => a - b);
          continue;
        }
        const rank = model.filter((item) => item < each.item).length;
        const isThere = model.includes(each.item);
        let told = -1;
        if (each.do === "remove") {
          told = sorted.remove(each.item, limit);
          model = model.filter((item) => item !== each.item);
        } else if (!isThere) {
          told = sorted.add(each.item, limit);
          model = [...model, each.item].toSorted((a, b) => a - b);
        }
        if (each.do === "remove" ? isThere : !isThere) {
          if (rank < limit) expect(told).toBe(rank);
          else expect(told).toBeGreaterThanOrEqual(limit);
        } else expect(told).toBe(-1);
        expect(sorted.first(limit)).toEqual(model.slice(0, limit));
      }
    }),
  );
});
