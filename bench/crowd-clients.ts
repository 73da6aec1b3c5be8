/** The process that holds a crowd: each socket checks that its frames follow each other, and counts its changes. */
import { WebSocket } from "ws";
import { isAckDue, NOTHING } from "../client/intake.ts";
import { serveParent } from "./child.ts";
import { createClock } from "./clock.ts";
import { createParser } from "./frames.ts";

export type Request =
  /** Opens a socket at each address, so many at a time. */
  | { kind: "connect"; urls: string[]; atOnce: number; origin: number; deflate?: boolean }
  /** Resolves when so many changes more have come to all sockets together. */
  | { kind: "await"; changes: number }
  | { kind: "close" };

export interface Reply {
  readonly ms: number;
  /** When the last of what was awaited came, by the clock that all processes share. */
  readonly lastMs: number;
  readonly delivered: number;
  /** Frames that did not begin where the one before had ended. */
  readonly gaps: number;
  /** That came over the wire since the sockets were opened. */
  readonly bytes: number;
}

let sockets: WebSocket[] = [];
let [delivered, gaps, lastMs, wanted] = [0, 0, 0, Infinity];
let isThere: () => void = () => undefined;

/** Bytes before it was open. */
let bytesBefore = 0;

function bytesRead(): number {
  return sockets.reduce((sum, socket) => sum + (wireOf(socket)?.bytesRead ?? 0), 0);
}

/** `ws` keeps it to itself. */
function wireOf(socket: WebSocket): { bytesRead: number } | undefined {
  return (socket as unknown as { _socket?: { bytesRead: number } })._socket;
}

async function open(
  url: string,
  deflate: boolean,
  parse: ReturnType<typeof createParser>,
  clock: () => number,
): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: deflate });
  sockets.push(socket);
  let position = "";
  let window = { bytes: Infinity, changes: Infinity };
  let taken = NOTHING;
  await new Promise<void>((resolve, reject) => {
    socket.on("error", reject);
    socket.on("message", (bytes: Buffer) => {
      const frame = parse(bytes);
      if (frame.type === "welcome") {
        position = frame.position ?? "";
        window = frame.window ?? window;
        resolve();
      }
      if (frame.type !== "changes" || frame.changes === undefined) return;
      if (frame.from !== position) gaps += 1;
      position = frame.position ?? "";
      taken = { bytes: taken.bytes + bytes.length, changes: taken.changes + frame.changes.length };
      if (isAckDue(taken, window)) {
        taken = NOTHING;
        socket.send(JSON.stringify({ type: "ack", position }));
      }
      delivered += frame.changes.length;
      if (delivered < wanted) return;
      lastMs = clock();
      wanted = Infinity;
      isThere();
    });
  });
}

serveParent(async (request: Request): Promise<Reply> => {
  const from = performance.now();
  let bytes = bytesRead() - bytesBefore;
  if (request.kind === "connect") {
    const [parse, clock] = [createParser(), createClock(request.origin)];
    [delivered, gaps] = [0, 0];
    for (let at = 0; at < request.urls.length; at += request.atOnce)
      await Promise.all(
        request.urls
          .slice(at, at + request.atOnce)
          .map((url) => open(url, request.deflate === true, parse, clock)),
      );
    bytesBefore = bytesRead();
  } else if (request.kind === "await") {
    await new Promise<void>((resolve) => {
      isThere = resolve;
      wanted = request.changes;
      if (delivered >= wanted) resolve();
    });
    bytes = bytesRead() - bytesBefore;
  } else {
    for (const socket of sockets) socket.terminate();
    sockets = [];
  }
  return { ms: performance.now() - from, lastMs, delivered, gaps, bytes };
});
