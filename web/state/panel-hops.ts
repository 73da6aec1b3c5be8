/** What a probe's answer comes to on the page. Pure. */

export interface ProbedHop {
  readonly name: string;
  /** What lies between. */
  readonly what: string;
  /** Null: it did not come here. */
  readonly ms: number | null;
}

interface AnsweredHop {
  readonly hop: string;
  readonly ms: number;
}

export interface ProbeAnswer {
  readonly probe: {
    readonly id: string;
    readonly total_ms: number;
    readonly hops: readonly AnsweredHop[];
    readonly carrier: "listener" | "log" | null;
  };
}

const HOP_WORDS: Readonly<Record<string, readonly [name: string, what: string]>> = {
  database: ["Database", "from the Worker until the row was written"],
  outbox: ["Outbox", "until it was committed and read"],
  listener: ["Listener", "until the log had stored it"],
  log: ["Log", "until a hub had sent it"],
  hub: ["Hub", "from there back to the Worker"],
};

export function toHops(hops: readonly AnsweredHop[]): ProbedHop[] {
  return hops.map(({ hop, ms }) => {
    const [name, what] = HOP_WORDS[hop] ?? [hop, ""];
    return { name, what, ms };
  });
}

/** By the page's clock alone: what of the time between click and arrival the Worker did not see. */
export function pageHop(arrivedAt: number | null, postedAt: number, totalMs: number): ProbedHop {
  return {
    name: "This page",
    what:
      arrivedAt === null
        ? "the change did not come over this page's stream"
        : "to the Worker, and from the hub to here",
    ms: arrivedAt === null ? null : Math.max(0, arrivedAt - postedAt - totalMs),
  };
}

export function isProbeAnswer(body: unknown): body is ProbeAnswer {
  return (
    typeof body === "object" && body !== null && "success" in body && body.success === true && "probe" in body
  );
}

/** Of a problem (RFC 9457): what to look at, and how far the change came. */
export function probeFailure(body: unknown): {
  readonly message: string;
  readonly hops: readonly ProbedHop[];
} {
  const { detail, title, probe } = (body ?? {}) as {
    detail?: string;
    title?: string;
    probe?: { hops?: readonly AnsweredHop[] };
  };
  return {
    message: detail ?? title ?? "The server's answer could not be read.",
    hops: toHops(probe?.hops ?? []),
  };
}
