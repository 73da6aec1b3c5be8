import { describe, expect, test } from "vitest";
import { CloseCode } from "../protocol/close-codes.ts";
import { HALF, Story, WINDOW } from "../test/client/story.ts";
import { wakeAt } from "./states.ts";
import type { Event, Incoming } from "./states.ts";

describe("opening", () => {
  test("opens a WebSocket first, from the position it was given", () => {
    const story = new Story({ since: "e.7" });
    expect(story.effects).toEqual([{ type: "open", connection: 1, transport: "websocket", since: "e.7" }]);
  });
  test("is catching up from the welcome on and live from the status on", () => {
    const story = new Story().welcome("e.3");
    expect(story.state).toMatchObject({ name: "catching-up", position: "e.3" });
    expect(story.status().state.name).toBe("live");
  });
  test("keeps its own position when a welcome names another, so that the gap check speaks", () => {
    expect(new Story({ since: "e.7" }).welcome("e.9").state.position).toBe("e.7");
  });
  test("gives up after ten seconds without a welcome", () => {
    const story = new Story().after(9_999).tick();
    expect(story.state.name).toBe("connecting");
    expect(story.after(1).tick().state.name).toBe("waiting");
    expect(story.types()).toEqual(["close"]);
  });
  test("stops when the server speaks another protocol", () => {
    const about = { clientId: "c", connectedClients: 1, listener: "live", window: WINDOW } as const;
    const story = new Story().message({ type: "welcome", position: "e.0", protocol: 2, ...about });
    expect(story.state.name).toBe("stopped");
    expect(story.types()).toEqual(["close"]);
  });
});

describe("backing off", () => {
  test("waits anywhere within a window that doubles from 500 ms to 30 s", () => {
    const story = new Story({ transports: ["websocket"] });
    const waits = Array.from({ length: 8 }, () => {
      const { state } = story.closed();
      const wait = (wakeAt(state) ?? 0) - story.now;
      story.due();
      return wait / HALF;
    });
    expect(waits).toEqual([500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });
  test("starts anew after ten seconds of being live, and not before", () => {
    const story = new Story().closed().due().live().after(9_999).closed();
    expect(story.state.attempt).toBe(2);
    expect(story.due().live().after(10_000).closed().state.attempt).toBe(1);
  });
  test("a server with too many sockets is given the widest window at once", () => {
    const { state } = new Story().live().closed(CloseCode.TOO_MANY);
    expect(wakeAt(state)).toBe(30_000 * HALF);
  });
  test("a server that names a time is left alone until then, and all come back spread out after it", () => {
    const { state } = new Story().live().closed(CloseCode.TOO_MANY, 60_000);
    expect(wakeAt(state)).toBe(60_000 + 30_000 * HALF);
  });
  test.each([CloseCode.FORBIDDEN, CloseCode.PROTOCOL])("close code %i stops it for good", (code) => {
    expect(new Story().live().closed(code).state).toMatchObject({ name: "stopped", reason: "gone" });
  });
  test("a token that has run out brings it back at once, on the same transport, and only once", () => {
    const story = new Story().live().after(60_000).closed(CloseCode.TOKEN_EXPIRED);
    expect(story.state).toMatchObject({ name: "waiting", retryAt: story.now, failures: 0 });
    story.tick().closed(CloseCode.TOKEN_EXPIRED);
    expect(wakeAt(story.state)).toBe(story.now + 1_000 * HALF);
    story.due().closed(CloseCode.TOKEN_EXPIRED);
    expect(wakeAt(story.state)).toBe(story.now + 2_000 * HALF);
    expect(story.due().live().after(10_000).closed(CloseCode.TOKEN_EXPIRED).state).toMatchObject({
      transport: "websocket",
      retryAt: story.now,
    });
  });
  test("a token that is refused over SSE is no reason to try another transport", () => {
    const story = new Story().onSse().closed(CloseCode.TOKEN_EXPIRED).due().closed(CloseCode.TOKEN_EXPIRED);
    expect(story.due().effects).toMatchObject([{ type: "open", transport: "sse" }]);
  });
  test("a hub that is about to go is left at a random time within what it allows", () => {
    const story = new Story().live().message({ type: "reconnect", after: 8_000 });
    expect(story.state.name).toBe("live");
    expect(wakeAt(story.state)).toBe(4_000);
    expect(story.due().types()).toEqual(["close", "open"]);
  });
  test("a hub that has gone before that is left alone until then", () => {
    const story = new Story().live().message({ type: "reconnect", after: 8_000 }).closed(CloseCode.COME_BACK);
    expect(story.state).toMatchObject({ name: "waiting", retryAt: 4_000, failures: 0 });
  });
});

describe("falling back to SSE", () => {
  test("when WebSocket fails to open twice in a row", () => {
    const story = new Story().closed().due();
    expect(story.state.transport).toBe("websocket");
    expect(story.closed().due().effects).toMatchObject([{ type: "open", transport: "sse" }]);
  });
  test("when WebSocket dies younger than five seconds twice in a row", () => {
    const story = new Story().live().after(4_999).closed().due().live().after(4_999).closed().due();
    expect(story.state.transport).toBe("sse");
  });
  test("not when it lived longer in between", () => {
    const story = new Story().closed().due().live().after(5_000).closed().due().closed().due();
    expect(story.state.transport).toBe("websocket");
  });
  test("goes back to WebSocket when SSE does not open either: the server is away", () => {
    expect(new Story().closed().due().closed().due().closed().due().state.transport).toBe("websocket");
  });
  test("stays on WebSocket when there is nothing else", () => {
    const story = new Story({ transports: ["websocket"] }).closed().due().closed().due();
    expect(story.state.transport).toBe("websocket");
  });
  test("tries WebSocket beside it after a minute, then after doubling times up to ten minutes", () => {
    const story = new Story().onSse();
    const tries: number[] = [];
    let last = story.now;
    while (tries.length < 6) {
      story.event({ type: "heard", connection: story.state.connection }).after(1_000).tick();
      if (!story.types().includes("probe")) continue;
      tries.push((story.now - last) / 1_000);
      story.event({ type: "probed", connection: story.state.connection, opened: false });
      last = story.now;
    }
    expect(tries).toEqual([60, 120, 240, 480, 600, 600]);
  });
  test("takes WebSocket when the try speaks, from the position that SSE has reached", () => {
    const story = new Story().onSse().changes(null, "e.5");
    for (let seconds = 0; seconds < 60; seconds += 15)
      story
        .after(15_000)
        .changes(null, `e.${6 + seconds}`)
        .tick();
    expect(story.types()).toEqual(["probe"]);
    story.event({ type: "probed", connection: story.state.connection, opened: true });
    expect(story.effects).toMatchObject([
      { type: "close" },
      { type: "open", transport: "websocket", since: "e.51" },
    ]);
  });
  test("gives a try up that says nothing for ten seconds", () => {
    const story = new Story().onSse();
    for (let seconds = 0; seconds < 60; seconds += 30)
      story.after(30_000).event({ type: "heard", connection: story.state.connection }).tick();
    expect(story.types()).toEqual(["probe"]);
    expect(story.after(10_000).tick().types()).toEqual(["end-probe"]);
    expect(story.state.name).toBe("live");
  });
});

describe("noticing that a connection is dead", () => {
  test("pings every 25 s and drops the connection when nothing comes within ten", () => {
    const story = new Story().live().after(25_000).tick();
    expect(story.effects).toEqual([{ type: "send", connection: 1, text: "ping" }]);
    expect(story.after(9_999).tick().state.name).toBe("live");
    expect(story.after(1).tick().state.name).toBe("waiting");
  });
  test("any frame after the ping proves life", () => {
    const story = new Story().live().after(25_000).tick().status().after(10_000).tick();
    expect(story.state.name).toBe("live");
  });
  test("a pong that is ahead twice with nothing between them means a broken stream", () => {
    const story = new Story().live().pong("e.4");
    expect(story.state.name).toBe("live");
    expect(story.pong("e.4").state).toMatchObject({ name: "waiting", position: "e.0" });
  });
  test("a pong that is ahead is fine when a frame comes before the next", () => {
    const story = new Story().live().pong("e.4").changes("e.0", "e.3").pong("e.9");
    expect(story.state.name).toBe("live");
  });
  test("over SSE forty seconds without a byte are the end", () => {
    const story = new Story({ transports: ["sse"] }).live().after(39_999).tick();
    expect(story.event({ type: "heard", connection: 1 }).after(39_999).tick().state.name).toBe("live");
    expect(story.after(1).tick().state.name).toBe("waiting");
  });
  test("asks at once when the page comes to the front", () => {
    expect(new Story().live().event({ type: "visible" }).effects).toMatchObject([
      { type: "send", text: "ping" },
    ]);
  });
});

describe("taking frames in", () => {
  test("moves on with each frame that begins where it stands", () => {
    const story = new Story().live().changes("e.0", "e.2").changes("e.2", "e.5");
    expect(story.effects).toMatchObject([{ type: "deliver", from: "e.2", position: "e.5" }]);
    expect(story.state.position).toBe("e.5");
  });
  test("a frame that begins elsewhere is not applied, and the stream starts again from its own position", () => {
    const story = new Story().live("e.1").changes("e.3", "e.4");
    expect(story.effects).toEqual([
      { type: "gap", expected: "e.1", got: "e.3" },
      { type: "close", connection: 1 },
    ]);
    expect(story.due().effects).toMatchObject([{ type: "open", since: "e.1" }]);
  });
  test("over SSE with a filter what is known already is dropped", () => {
    const story = new Story({ transports: ["sse"] }).live("e.5").changes(null, "e.5");
    expect(story.effects).toEqual([]);
    expect(story.changes(null, "f.6").types()).toContain("gap");
  });
  test("a reset moves the position, also into another epoch", () => {
    const story = new Story({ since: "e.9" }).welcome("e.9");
    story.message({ type: "reset", reason: "epoch", position: "f.2" }).changes("f.2", "f.3");
    expect(story.state.position).toBe("f.3");
  });
  test("what an older connection still says is not heard", () => {
    const story = new Story().live().closed().due();
    const message: Incoming = { type: "changes", from: "e.0", position: "e.1", changes: [] };
    story.event({ type: "message", connection: 1, message, size: 1 });
    expect(story.effects).toEqual([]);
    expect(story.state).toMatchObject({ name: "connecting", position: "e.0" });
  });
  test("a message that this client does not know is passed over", () => {
    const story = new Story().live().message({ type: "newer" } as unknown as Incoming);
    expect(story.state.name).toBe("live");
  });
});

describe("acks", () => {
  const acks = (story: Story) => story.effects.filter((effect) => effect.type === "send");

  test("one goes out when a quarter of the window's characters has been taken in", () => {
    const story = new Story().live().changes("e.0", "e.1", 249);
    expect(acks(story)).toEqual([]);
    story.changes("e.1", "e.2", 1);
    expect(acks(story)).toMatchObject([{ text: '{"type":"ack","position":"e.2"}' }]);
    expect(acks(story.changes("e.2", "e.3", 249))).toEqual([]);
  });
  test("it comes after the delivery of what it acknowledges", () => {
    expect(new Story().live().changes("e.0", "e.1", 5_000).types()).toEqual(["deliver", "send"]);
  });
  test("none goes out over SSE", () => {
    expect(acks(new Story({ transports: ["sse"] }).live().changes("e.0", "e.1", 5_000))).toEqual([]);
  });
});

describe("the page and the application", () => {
  test("offline lets go at once, online comes back at once", () => {
    const story = new Story().live("e.4").event({ type: "offline" });
    expect(story.state.name).toBe("offline");
    expect(story.types()).toEqual(["close"]);
    expect(story.event({ type: "online" }).effects).toMatchObject([{ type: "open", since: "e.4" }]);
  });
  test("coming to the front ends the wait", () => {
    expect(new Story().closed().event({ type: "visible" }).types()).toEqual(["open"]);
  });
  test("another filter is told to an open WebSocket, and over SSE means another stream from here", () => {
    const refilter: Event = { type: "refilter", frame: "F" };
    expect(new Story().live().event(refilter).effects).toMatchObject([{ type: "send", text: "F" }]);
    expect(new Story({ transports: ["sse"] }).live("e.2").event(refilter).effects).toMatchObject([
      { type: "close" },
      { type: "open", since: "e.2" },
    ]);
    expect(new Story().event(refilter).types()).toEqual(["close", "open"]);
  });
  test("a stopped client stays stopped until the application reconnects", () => {
    const story = new Story().live().event({ type: "stop", reason: "closed" });
    expect(wakeAt(story.state)).toBeNull();
    for (const type of ["online", "offline", "visible", "tick"] as const) story.event({ type });
    expect(story.state.name).toBe("stopped");
    expect(story.event({ type: "reconnect" }).types()).toEqual(["open"]);
  });
});
