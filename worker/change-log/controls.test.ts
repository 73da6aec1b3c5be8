import { evictDurableObject, reset, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ListenerState, ToListener } from "../../protocol/control.ts";
import { call, callInternal, FakeListener, SECRET, TestSocket } from "../../test/support/worker.ts";
import { changeLog } from "../objects.ts";
import { controlStates } from "./controls.ts";

beforeEach(async () => {
  await new FakeListener().start();
});
afterEach(() => reset());

describe("/internal/control", () => {
  it("is closed without the secret, and says 426 to what is no WebSocket", async () => {
    expect((await call("/internal/control", { headers: { Upgrade: "websocket" } })).status).toBe(401);
    expect((await callInternal("/internal/control")).status).toBe(426);
    expect((await callInternal("/internal/control", { method: "POST" })).status).toBe(405);
  });

  it("says who watches at once, when the first client comes and when the last goes", async () => {
    const control = await ControlSocket.open();
    expect(await control.next()).toEqual({ type: "watchers", clients: 0 });
    const socket = await TestSocket.open();
    expect(await control.next()).toEqual({ type: "watchers", clients: 1 });
    const second = await ControlSocket.open();
    expect(await second.next()).toEqual({ type: "watchers", clients: 1 });
    socket.close();
    expect(await control.next()).toEqual({ type: "watchers", clients: 0 });
    expect(await second.next()).toEqual({ type: "watchers", clients: 0 });
  });

  it("answers ping without waking the log, and wakes who sleeps although the log has lost its memory", async () => {
    const control = await ControlSocket.open();
    await control.next();
    await control.say("asleep");
    await evictDurableObject(changeLog(env));
    control.send("ping");
    expect(await control.nextText()).toBe("pong");
    expect((await changeLog(env).overview()).listener).toBe("asleep");
    await changeLog(env).wrote();
    expect(await control.next()).toEqual({ type: "wake", reason: "write" });
  });

  it("shows asleep only when all of them sleep, and wakes nobody while one is awake", async () => {
    const [one, other] = [await ControlSocket.open(), await ControlSocket.open()];
    await one.next();
    await other.next();
    await other.say("live");
    await one.say("asleep");
    expect((await changeLog(env).overview()).listener).toBe("live");
    await changeLog(env).wrote();
    await other.say("asleep");
    // The write came after the last that was heard of either: somebody has to look.
    expect(await other.next()).toEqual({ type: "wake", reason: "write" });
    expect(await one.next()).toEqual({ type: "wake", reason: "write" });
    expect((await changeLog(env).overview()).listener).toBe("asleep");
  });

  it("calls for a write once: a socket that comes back later is left asleep", async () => {
    const first = await ControlSocket.open();
    await first.next();
    await first.say("asleep");
    await changeLog(env).wrote();
    expect(await first.next()).toEqual({ type: "wake", reason: "write" });
    await first.say("connecting");
    await first.say("asleep"); // in vain, it seems: nothing was heard of it in between
    expect(await first.next()).toEqual({ type: "wake", reason: "write" });
    first.close();
    const second = await ControlSocket.open();
    await second.next();
    await second.say("asleep");
    second.send("ping");
    expect(await second.nextText()).toBe("pong");
  });

  it("passes over what is no word of a listener", async () => {
    const control = await ControlSocket.open();
    await control.next();
    for (const text of [
      "",
      "{",
      "null",
      "[]",
      '{"type":"state","state":"dead"}',
      '{"type":"news"}',
      "x".repeat(100_000),
    ])
      control.send(text);
    await control.say("asleep");
    expect((await changeLog(env).overview()).listener).toBe("asleep");
  });

  it("a listener that goes is no longer taken for one that sleeps", async () => {
    const control = await ControlSocket.open();
    await control.next();
    await control.say("asleep");
    control.close();
    await until(async () => (await changeLog(env).overview()).listener === "connecting");
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 5));
}

class ControlSocket {
  readonly #socket: WebSocket;
  readonly #texts: string[] = [];
  #wake: (() => void) | null = null;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      this.#texts.push(String(data));
      this.#wake?.();
    });
    socket.accept();
  }

  static async open(): Promise<ControlSocket> {
    const headers = { Upgrade: "websocket", Authorization: `Bearer ${SECRET}` };
    const { webSocket, status } = await call("/internal/control", { headers });
    if (!webSocket) throw new Error(`no socket: ${status}`);
    return new ControlSocket(webSocket);
  }

  send(text: string): void {
    this.#socket.send(text);
  }

  /** Resolves when the log has taken it in. */
  async say(state: ListenerState): Promise<void> {
    this.send(JSON.stringify({ type: "state", state }));
    await until(() => runInDurableObject(changeLog(env), (_, ctx) => controlStates(ctx).includes(state)));
  }

  close(): void {
    this.#socket.close(1000, "done");
  }

  async nextText(): Promise<string> {
    for (;;) {
      const text = this.#texts.shift();
      if (text !== undefined) return text;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  async next(): Promise<ToListener> {
    return JSON.parse(await this.nextText()) as ToListener;
  }
}
