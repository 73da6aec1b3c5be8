/** A way over TCP that can be made bad: what lies between a listener and Postgres, and between a client and the Worker. */
import { once } from "node:events";
import { connect, createServer, type AddressInfo, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

export interface Link {
  readonly port: number;
  /** How many connections it carries now. */
  readonly size: number;
  /** Ends every connection with RST. */
  cut(): void;
  /** Present connections carry nothing any more, for ever, and nobody is told: half-open. New ones work. */
  freeze(): void;
  /** Nothing is read, in either direction, until `heal`; then everything goes on where it was, as after lost packets. */
  stall(): void;
  /** Everything arrives so much later. */
  delay(ms: number): void;
  /** So much gets through a second, in each direction. */
  throttle(bytesPerSecond: number): void;
  /** New connections are refused with RST. */
  refuse(): void;
  /** As good as new, but for what `freeze` has left. */
  heal(): void;
  close(): void;
}

interface Quality {
  readonly stalled: boolean;
  readonly delayMs: number;
  readonly bytesPerSecond: number;
  readonly refusing: boolean;
}

const GOOD: Quality = {
  stalled: false,
  delayMs: 0,
  bytesPerSecond: Number.POSITIVE_INFINITY,
  refusing: false,
};
/** A throttled way sends a piece this often. */
const PIECE_MS = 100;

/** Opens a way from a free port of 127.0.0.1 to `to` there. */
export async function openLink(to: number): Promise<Link> {
  let quality = GOOD;
  let healed = Promise.withResolvers<void>();
  const pairs = new Set<Pair>();

  /** One direction. It reads on only when what it read has been passed on, so that backpressure goes through. */
  async function carry(pair: Pair, from: Socket, to: Socket): Promise<void> {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let rest = chunk; rest.length > 0;) {
        while (quality.stalled) await healed.promise;
        if (pair.frozen) return void (await new Promise(() => undefined));
        const { delayMs, bytesPerSecond } = quality;
        if (delayMs > 0) await sleep(delayMs);
        const size = Math.max(1, Math.min(rest.length, Math.ceil((bytesPerSecond * PIECE_MS) / 1000)));
        const piece = rest.subarray(0, size);
        rest = rest.subarray(size);
        if (Number.isFinite(bytesPerSecond)) await sleep(PIECE_MS);
        if (pair.frozen) return void (await new Promise(() => undefined));
        if (!to.write(piece)) await once(to, "drain");
      }
    }
    to.end();
  }

  const server = createServer({ pauseOnConnect: true }, (near) => {
    near.on("error", () => undefined);
    if (quality.refusing) return void near.resetAndDestroy();
    const far = connect(to, "127.0.0.1");
    for (const socket of [near, far]) socket.setNoDelay(true);
    const pair: Pair = { near, far, frozen: false };
    pairs.add(pair);
    const end = (): void => {
      // Whoever waits on a frozen connection hears nothing of the other side's end.
      if (pair.frozen && !(near.destroyed && far.destroyed)) return;
      pairs.delete(pair);
      near.destroy();
      far.destroy();
    };
    near.on("close", end).on("error", end);
    far.on("close", end).on("error", () => {
      if (!pair.frozen) near.resetAndDestroy();
      end();
    });
    // Reading from a socket that was destroyed ends with an error that `end` has dealt with.
    carry(pair, near, far).catch(() => undefined);
    carry(pair, far, near).catch(() => undefined);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");

  const become = (next: Partial<Quality>): void => {
    quality = { ...GOOD, ...next };
    healed.resolve();
    healed = Promise.withResolvers();
  };
  const cut = (): void => {
    for (const { near, far } of pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    pairs.clear();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get size() {
      return pairs.size;
    },
    cut,
    freeze() {
      for (const pair of pairs) pair.frozen = true;
    },
    stall: () => become({ stalled: true }),
    delay: (delayMs) => become({ delayMs }),
    throttle: (bytesPerSecond) => become({ bytesPerSecond }),
    refuse: () => become({ refusing: true }),
    heal: () => become({}),
    close() {
      become({ refusing: true });
      cut();
      server.close();
    },
  };
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket;
  frozen: boolean;
}
