import { afterEach, expect, test, vi } from "vitest";
import { watchPage } from "./page.ts";

afterEach(() => vi.unstubAllGlobals());

test("tells of the network and of coming to the front, until it is stopped", () => {
  const target = new EventTarget();
  const document = { visibilityState: "hidden" };
  vi.stubGlobal("addEventListener", target.addEventListener.bind(target));
  vi.stubGlobal("removeEventListener", target.removeEventListener.bind(target));
  vi.stubGlobal("document", document);
  const told: string[] = [];
  const stop = watchPage((type) => told.push(type));
  const fire = (type: string): void => void target.dispatchEvent(new Event(type));
  fire("offline");
  fire("online");
  fire("visibilitychange");
  document.visibilityState = "visible";
  fire("visibilitychange");
  stop();
  fire("online");
  expect(told).toEqual(["offline", "online", "visible"]);
});

test("without a page it does nothing", () => {
  expect(() => watchPage(() => undefined)()).not.toThrow();
});
