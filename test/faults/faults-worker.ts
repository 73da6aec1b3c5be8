/** What happens to the Worker and its objects. */
import { beginEpoch } from "./epoch.ts";
import { NOTHING, type Fault } from "./scene.ts";

const SECOND = 1_000;

export const WORKER_FAULTS: readonly Fault[] = [
  {
    kind: "worker: SIGKILL, started on what it left",
    place: "worker",
    lasts: [0, 4 * SECOND],
    weight: 5,
    async inflict({ ground }) {
      await ground.worker.kill();
      return () => ground.worker.start();
    },
  },
  evict("worker: hub evicted, sockets live on", "Hub", "hibernate"),
  evict("worker: hub evicted, sockets cut", "Hub", "close"),
  evict("worker: log evicted", "ChangeLog", "close"),
  badPushes("worker: pushes to the hub fail", "fail", [0, 5 * SECOND]),
  badPushes("worker: pushes to the hub hang", "hang", [0, 3 * SECOND]),
  {
    kind: "worker: storage of the log deleted (new epoch)",
    place: "worker",
    lasts: [0, 0],
    weight: 1,
    alone: true,
    async inflict(scene) {
      await beginEpoch(scene, async () => {
        await scene.ground.worker.kill();
        await scene.ground.worker.deleteLog();
        await scene.ground.worker.start();
      });
      return NOTHING;
    },
  },
];

function evict(kind: string, className: "Hub" | "ChangeLog", webSockets: "close" | "hibernate"): Fault {
  return {
    kind,
    place: "worker",
    lasts: [0, 0],
    weight: 3,
    async inflict({ ground }) {
      await ground.worker.evict(className, webSockets);
      return NOTHING;
    },
  };
}

function badPushes(kind: string, should: "fail" | "hang", lasts: Fault["lasts"]): Fault {
  return {
    kind,
    place: "worker",
    lasts,
    weight: 2,
    async inflict({ ground }) {
      await ground.worker.pushes(should);
      return () => ground.worker.pushes("work");
    },
  };
}
