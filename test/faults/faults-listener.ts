/** What happens to listeners, and on their ways to Postgres and to the Worker. */
import type { Treatment } from "./gate.ts";
import type { Link } from "./link.ts";
import { NOTHING, type Fault } from "./scene.ts";

const SEATS = [0, 1, 2] as const;
const SECOND = 1_000;

export const LISTENER_FAULTS: readonly Fault[] = [
  ...SEATS.slice(0, 2).flatMap((number): Fault[] => [
    {
      kind: "listener: SIGKILL",
      place: `process ${number}`,
      lasts: [0, 3 * SECOND],
      weight: 3,
      async inflict({ ground }) {
        await ground.seats[number].end("SIGKILL");
        return () => ground.seats[number].start();
      },
    },
    {
      kind: "listener: SIGSTOP",
      place: `process ${number}`,
      lasts: [2 * SECOND, 40 * SECOND],
      weight: 2,
      async inflict({ ground }) {
        ground.seats[number].start();
        ground.seats[number].pause();
        return () => ground.seats[number].resume();
      },
    },
    {
      kind: "listener: restart",
      place: `process ${number}`,
      lasts: [0, SECOND],
      weight: 2,
      async inflict({ ground }) {
        await ground.seats[number].end("SIGTERM");
        return () => ground.seats[number].start();
      },
    },
    {
      kind: "listener: killed between POST and answer",
      place: `process ${number}`,
      lasts: [3 * SECOND, 5 * SECOND],
      weight: 2,
      async inflict({ ground }) {
        const seat = ground.seats[number];
        seat.toWorker.onStored = () => {
          seat.toWorker.onStored = null;
          void seat.end("SIGKILL");
        };
        return () => {
          seat.toWorker.onStored = null;
          seat.start();
        };
      },
    },
  ]),
  ...SEATS.slice(1).map((number): Fault => ({
    kind: "listener: one more",
    place: `process ${number}`,
    lasts: [3 * SECOND, 20 * SECOND],
    weight: 2,
    async inflict({ ground }) {
      ground.seats[number].start();
      return () => ground.seats[number].end("SIGTERM");
    },
  })),
  {
    kind: "listener: a stale one wakes beside a fresh one",
    place: "process 2",
    lasts: [5 * SECOND, 15 * SECOND],
    weight: 1,
    async inflict({ ground }) {
      const seat = ground.seats[2];
      seat.start();
      seat.pause();
      return async () => {
        seat.resume();
        // Long enough to do what it stopped in, with a cursor of long ago.
        await new Promise((resolve) => setTimeout(resolve, SECOND));
        await seat.end("SIGTERM");
      };
    },
  },
  ...SEATS.slice(0, 2).flatMap((number): Fault[] => [
    onWay(number, "listener to Postgres: cut", [0, 0], (way) => way.cut()),
    onWay(number, "listener to Postgres: half-open", [0, 0], (way) => way.freeze()),
    onWay(number, "listener to Postgres: packets dropped", [2 * SECOND, 12 * SECOND], (way) => way.stall()),
    onWay(number, "listener to Postgres: 2 s delay", [4 * SECOND, 10 * SECOND], (way) =>
      way.delay(2 * SECOND),
    ),
    onWay(number, "listener to Postgres: 1 kB/s", [4 * SECOND, 12 * SECOND], (way) => way.throttle(1_000)),
    onWay(number, "listener to Postgres: refused", [2 * SECOND, 6 * SECOND], (way) => {
      way.cut();
      way.refuse();
    }),
    atGate(number, "listener to Worker: 503", "refuse"),
    atGate(number, "listener to Worker: cut", "cut"),
    atGate(number, "listener to Worker: no answer", "hang"),
    atGate(number, "listener to Worker: answers lost after the work was done", "lose answer"),
    atGate(number, "listener to Worker: half an answer", "half an answer"),
    atGate(number, "listener to Worker: 2 s delay", "late"),
  ]),
];

function onWay(number: 0 | 1 | 2, kind: string, lasts: Fault["lasts"], spoil: (way: Link) => void): Fault {
  return {
    kind,
    place: `way ${number} to Postgres`,
    lasts,
    weight: 1,
    async inflict({ ground }) {
      const way = ground.seats[number].toPostgres;
      spoil(way);
      return lasts[1] === 0 ? NOTHING : () => way.heal();
    },
  };
}

function atGate(number: 0 | 1 | 2, kind: string, treatment: Treatment): Fault {
  return {
    kind,
    place: `way ${number} to the Worker`,
    lasts: [SECOND, 8 * SECOND],
    weight: 1,
    async inflict({ ground }) {
      const gate = ground.seats[number].toWorker;
      gate.treatment = treatment;
      return () => void (gate.treatment = "pass");
    },
  };
}
