import fc from "fast-check";
import { expect, test } from "vitest";
import { createRates, WINDOW_S } from "./metrics-rates.ts";

const OPERATIONS = ["INSERT", "UPDATE", "DELETE", "TRUNCATE"] as const;

test("changes are counted by second and operation", () => {
  const rates = createRates();
  rates.add("INSERT", 1000);
  rates.add("INSERT", 1000);
  rates.add("UPDATE", 1001);
  rates.add("TRUNCATE", 1002);
  expect(rates.last(1002, 3)).toEqual({ inserted: [2, 0, 0], updated: [0, 1, 0], deleted: [0, 0, 1] });
  expect(rates.sums(1002, 2)).toEqual({ inserted: 0, updated: 1, deleted: 1 });
});

test("what is older than the window is forgotten, whatever came since", () => {
  const counts = fc.array(
    fc.record({ skip: fc.nat(2 * WINDOW_S), operation: fc.constantFrom(...OPERATIONS) }),
  );
  fc.assert(
    fc.property(
      counts,
      fc.nat(2 * WINDOW_S),
      fc.integer({ min: 1, max: WINDOW_S }),
      (steps, later, seconds) => {
        const rates = createRates();
        const made: { second: number; operation: string }[] = [];
        let second = 1_700_000_000;
        for (const { skip, operation } of steps) {
          second += skip;
          rates.add(operation, second);
          made.push({ second, operation });
        }
        const end = second + later;
        const inside = made.filter((one) => one.second > end - seconds && one.second <= end);
        const of = (...operations: string[]) =>
          inside.filter(({ operation }) => operations.includes(operation)).length;
        expect(rates.sums(end, seconds)).toEqual({
          inserted: of("INSERT"),
          updated: of("UPDATE"),
          deleted: of("DELETE", "TRUNCATE"),
        });
        expect(rates.last(end, seconds).updated).toHaveLength(seconds);
      },
    ),
  );
});
