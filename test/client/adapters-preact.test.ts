// @vitest-environment happy-dom
/** Observables as signals of the real Preact. */
import { computed, effect } from "@preact/signals";
import { h, render } from "preact";
import { act } from "preact/test-utils";
import { afterEach, expect, test } from "vitest";
import { toSignal } from "../../client/adapters/preact.ts";
import { liveCollection } from "../../client/index.ts";
import { counted, startSource, until, type Item } from "./adapters-source.ts";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) await end();
});

test("is read without following, and always the present value", () => {
  const { state, set, value } = counted(1);
  const signal = toSignal(value);
  set(2);
  expect([signal.value, signal.peek(), String(signal), JSON.stringify(signal)]).toEqual([2, 2, "2", "2"]);
  set(3);
  expect(computed(() => signal.value * 10).value).toBe(30);
  expect(state.followers).toBe(0);
});

test("is followed once while something watches it, and let go of by itself after that", () => {
  const { state, set, value } = counted(1);
  const signal = toSignal(value);
  set(2);
  const seen: number[] = [];
  const double = computed(() => signal.value * 2);
  const endOne = effect(() => void seen.push(signal.value));
  const endOther = effect(() => void seen.push(double.value));
  expect([seen, state.followers]).toEqual([[2, 4], 1]);
  set(3);
  expect(seen).toEqual([2, 4, 3, 6]);
  endOne();
  expect(state.followers).toBe(1);
  endOther();
  expect(state.followers).toBe(0);
  set(4);
  expect(seen).toHaveLength(4);
  const endAgain = effect(() => void seen.push(signal.value));
  expect([seen.at(-1), state.followers]).toEqual([4, 1]);
  endAgain();
});

test("draws a component, and a text alone, anew with each value", async () => {
  const { state, set, value } = counted("one");
  const signal = toSignal(value);
  const container = document.createElement("div");
  const Reads = () => h("b", null, signal.value);
  const Holds = () => h("i", null, signal);
  await act(() => render(h("p", null, h(Reads, null), h(Holds, null)), container));
  expect(container.innerHTML).toBe("<p><b>one</b><i>one</i></p>");
  await act(() => set("two"));
  expect(container.innerHTML).toBe("<p><b>two</b><i>two</i></p>");
  await act(() => render(null, container));
  expect(state.followers).toBe(0);
});

test("shows the rows of a collection, with what is written to it", async () => {
  const source = await startSource({ id: 1, name: "Ann" });
  ends.push(() => source.close());
  const items = liveCollection<Item>({ ...source.options, write: source.write });
  await until(items.state, () => items.state.get() === "ready");
  const all = toSignal(items.query({}));
  const seen: string[] = [];
  ends.push(effect(() => void seen.push(all.value.map(({ name }) => name).join(" "))));
  await items.update(1, { name: "Anna" }).done;
  source.put({ id: 2, name: "Ben" });
  await until(items.rows, () => items.rows.get().size === 2);
  expect(seen.filter((text, index) => text !== seen[index - 1])).toEqual(["Ann", "Anna", "Anna Ben"]);
});
