/** The Worker as a client of the caller's hub: it sees one probe arrive, the way any client would. */
import type { Context } from "hono";
import type { Change } from "../../protocol/change.ts";
import { PING } from "../../protocol/frames.ts";
import type { ServerMessage } from "../../protocol/messages.ts";
import { parsePosition, type Position } from "../../protocol/position.ts";
import type { AppEnv } from "../http/app-env.ts";
import { addressOf } from "../http/caller.ts";
import { formatHubName } from "../hub/region.ts";
import { enterHub } from "../stream/enter.ts";

export const PROBES = "rowcast.probes";

export interface Seen {
  readonly change: Change;
  readonly position: Position;
  /** By the Worker's clock, ms since 1970. */
  readonly at: number;
}

export interface HubWatch {
  /** The hub's name, `weur:0`. */
  readonly hub: string;
  /** From where on the hub sends; null when it has not welcomed us in time. */
  readonly welcome: Promise<Position | null>;
  /** The change of this token; null when it has not come within so many ms from now. */
  arrival(ms: number): Promise<Seen | null>;
  /** To the hub and back; 0 when it is not known. */
  readonly roundTripMs: number;
  close(): void;
}

/**
 * Opens a socket at the hub that the caller's own streams would go to.
 *
 * @param token of the probe: nothing else is asked for. So whatever the caller's token is pinned to, this is not theirs.
 * @param patienceMs for the welcome.
 * @returns what to look on with, or the hub's answer when it lets nobody in.
 */
export async function watchHub(
  c: Context<AppEnv>,
  token: string,
  patienceMs: number,
): Promise<HubWatch | Response> {
  const { holder } = c.get("access");
  const { answer, name } = await enterHub(c.env, {
    cf: c.req.raw.cf as IncomingRequestCfProperties | undefined,
    search: new URL(c.req.url).searchParams,
    address: { since: null, filter: { [PROBES]: { token: [token] } }, fold: false, lean: false },
    // Counted with the caller's other streams.
    bearer: { holder, pin: null, expiresAt: null, address: await addressOf(c.req.raw) },
  });
  const socket = answer.webSocket;
  if (!socket) return answer;
  const welcome = Promise.withResolvers<Position | null>();
  const seen = Promise.withResolvers<Seen | null>();
  let pingedAt = 0;
  let roundTripMs = 0;
  socket.addEventListener("message", ({ data }) => {
    if (typeof data !== "string") return;
    if (!data.startsWith("{")) {
      roundTripMs = Date.now() - pingedAt; // the platform answers for the hub
      return;
    }
    const message = JSON.parse(data) as ServerMessage;
    if (message.type === "welcome") {
      welcome.resolve(parsePosition(message.position));
      pingedAt = Date.now();
      socket.send(PING);
    }
    if (message.type !== "changes") return;
    const change = message.changes.find(({ data: row }) => row?.["token"] === token);
    if (change === undefined) return;
    const epoch = parsePosition(message.position)?.epoch ?? "";
    seen.resolve({ change, position: { epoch, seq: change.seq }, at: Date.now() });
  });
  const lost = (): void => {
    welcome.resolve(null);
    seen.resolve(null);
  };
  socket.addEventListener("close", lost);
  socket.addEventListener("error", lost);
  socket.accept();
  return {
    hub: formatHubName(name),
    welcome: orNull(welcome.promise, patienceMs),
    arrival: (ms) => orNull(seen.promise, ms),
    get roundTripMs() {
      return roundTripMs;
    },
    close: () => socket.close(1000, "probed"),
  };
}

async function orNull<T>(promise: Promise<T | null>, ms: number): Promise<T | null> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<null>((resolve) => {
    timer = setTimeout(() => resolve(null), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
