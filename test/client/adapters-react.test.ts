// @vitest-environment happy-dom
/** The hooks in the real React, over the real SDK. */
import { act, createElement, StrictMode, type ReactNode } from "react";
import { createRoot } from "react-dom/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { useConnection, useObservable, useQuery, useRow } from "../../client/adapters/react.ts";
import { liveCollection, type LiveCollection } from "../../client/index.ts";
import { counted, startSource, until, type Item, type Source } from "./adapters-source.ts";

Object.assign(globalThis, { IS_REACT_ACT_ENVIRONMENT: true });

let source: Source;
let items: LiveCollection<Item>;
beforeEach(async () => {
  source = await startSource({ id: 1, name: "Ann" }, { id: 2, name: "Ben" }, { id: 3, name: "Cat" });
  items = liveCollection<Item>({ ...source.options, write: source.write });
  await until(items.state, () => items.state.get() === "ready");
});

const ends: (() => void)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0)) end();
  items.close();
  await source.close();
});

/** Draws a component, and counts how often it is drawn. What React has to complain of fails the test. */
async function draw(component: () => ReactNode, isStrict = false) {
  const complain = vi.spyOn(console, "error");
  const container = document.createElement("div");
  const root = createRoot(container);
  let count = 0;
  const Counted = () => {
    count += 1;
    return component();
  };
  const again = () => {
    const element = createElement(Counted);
    return act(async () => root.render(isStrict ? createElement(StrictMode, null, element) : element));
  };
  await again();
  ends.push(() => {
    act(() => root.unmount());
    expect(complain.mock.calls).toEqual([]);
    complain.mockRestore();
  });
  return {
    text: () => container.textContent,
    count: () => count,
    again,
  };
}

test("an observable is followed, and let go of when the component goes", async () => {
  const { state, set, value } = counted("one");
  const { text } = await draw(() => useObservable(value));
  expect([text(), state.followers]).toEqual(["one", 1]);
  act(() => set("two"));
  expect(text()).toBe("two");
  for (const end of ends.splice(0)) end();
  expect(state.followers).toBe(0);
});

test("a row is drawn again when it changes, and not when others do", async () => {
  const { text, count } = await draw(() => useRow(items, 1)?.name ?? "nobody");
  expect([text(), count()]).toEqual(["Ann", 1]);
  await act(async () => items.update(2, { name: "Benjamin" }).done);
  expect(count()).toBe(1);
  await act(async () => items.update(1, { name: "Anna" }).done);
  expect(text()).toBe("Anna");
  await act(async () => items.remove(1).done);
  expect(text()).toBe("nobody");
});

const long = ({ name }: Item) => name.length > 3;
const byName = (a: Item, b: Item) => a.name.localeCompare(b.name);

test("a query is drawn again when its result changes, and not when others do", async () => {
  const { text, count } = await draw(() =>
    useQuery(items, { where: long, compare: byName, limit: 2 })
      .map(({ name }) => name)
      .join(" "),
  );
  expect([text(), count()]).toEqual(["", 1]);
  await act(async () => items.create({ name: "Zoe" }).done);
  expect(count()).toBe(1);
  await act(async () => items.update(2, { name: "Benjamin" }).done);
  await act(async () => items.update(1, { name: "Anna" }).done);
  expect(text()).toBe("Anna Benjamin");
});

test("a query with functions made at each rendering is right, too, and does not draw for ever", async () => {
  let least = 0;
  const { text, count, again } = await draw(
    () =>
      useQuery(items, { where: ({ id }) => id > least })
        .map(({ name }) => name)
        .join(" "),
    true,
  );
  expect(text()).toBe("Ann Ben Cat");
  least = 1;
  await again();
  expect(text()).toBe("Ben Cat");
  await act(async () => items.remove(3).done);
  expect(text()).toBe("Ben");
  expect(count()).toBeLessThan(20);
});

test("the state of the connection is shown", async () => {
  const { text } = await draw(() => useConnection(source.client).name);
  expect(text()).toBe("live");
  act(() => source.client.close());
  expect(text()).toBe("stopped");
});
