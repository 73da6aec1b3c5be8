import { beforeEach, expect, test } from "vitest";
import type { Change } from "../../client/index.ts";
import { liveLines, MAX_LINES } from "./live.ts";

let printed: string[][] = [];
let timers: { call: () => void; ms: number }[] = [];
beforeEach(() => {
  printed = [];
  timers = [];
});

const live = () =>
  liveLines({
    print: (lines) => void printed.push([...lines]),
    describe: ({ seq }) => String(seq),
    setTimeout: (call, ms) => timers.push({ call, ms }),
  });
const changes = (from: number, to: number): Change[] =>
  Array.from({ length: to - from + 1 }, (_, index) => ({ seq: from + index }) as Change);
const tick = () => timers.shift()?.call();

test("a change is shown at once, those that follow together", () => {
  const { add } = live();
  add(changes(1, 1));
  expect(printed).toEqual([["1"]]);
  add(changes(2, 2));
  add(changes(3, 3));
  expect(printed).toHaveLength(1);
  tick();
  expect(printed[1]).toEqual(["2", "3"]);
});

test("of a flood the newest are shown, the others counted, and there is time to read", () => {
  const { add } = live();
  add(changes(1, 5000));
  const [lines = []] = printed;
  expect(lines[0]).toBe(`… ${5000 - MAX_LINES} more changes before these`);
  expect(lines.at(-1)).toBe("5000");
  expect(lines).toHaveLength(MAX_LINES + 1);
  expect(timers[0]?.ms).toBeGreaterThanOrEqual(1000);
});

test("every change is shown or counted once, however they come", () => {
  const { add, hold, release } = live();
  let given = 0;
  for (const [index, size] of [1, 3, 12, 0, 1, 40, 2].entries()) {
    add(changes(given + 1, given + size));
    given += size;
    if (index === 1) hold();
    if (index === 4) release();
    if (index % 2 === 0) tick();
  }
  while (timers.length > 0) tick();
  const told = printed.flat().map((line) => Number(/^… (\d+)/.exec(line)?.[1] ?? 1));
  expect(told.reduce((sum, count) => sum + count, 0)).toBe(given);
});
