/** What happens to Postgres. */
import { Client } from "pg";
import { askOnce, MAX_CONNECTIONS } from "./cluster.ts";
import { beginEpoch, readTruth, snapshot } from "./epoch.ts";
import { NOTHING, type Fault } from "./scene.ts";

const SECOND = 1_000;
const PATIENCE_MS = 10_000;
/** Changes that are streamed and then gone, because the database is restored to before them. */
const LATER_LOST = 300;

export const POSTGRES_FAULTS: readonly Fault[] = [
  {
    kind: "postgres: pg_terminate_backend of the listeners",
    place: "sessions",
    lasts: [0, 0],
    weight: 3,
    async inflict({ ground }) {
      await terminate(ground.cluster.url, "application_name = 'rowcast listener'");
      return NOTHING;
    },
  },
  {
    kind: "postgres: pg_terminate_backend of everybody",
    place: "sessions",
    lasts: [0, 0],
    weight: 3,
    async inflict({ ground }) {
      await terminate(ground.cluster.url, "backend_type = 'client backend'");
      return NOTHING;
    },
  },
  down("postgres: fast restart", "fast", [0, 0], 2),
  down("postgres: immediate restart (crash recovery)", "immediate", [0, 0], 3),
  down("postgres: down for a while", "fast", [3 * SECOND, 15 * SECOND], 1),
  {
    kind: "postgres: all connections used up",
    place: "postgres",
    lasts: [2 * SECOND, 6 * SECOND],
    weight: 1,
    async inflict({ ground }) {
      const clients: Client[] = [];
      const take = async (): Promise<void> => {
        const client = new Client({ connectionString: ground.cluster.url });
        client.on("error", NOTHING); // the server may end it first
        await client.connect();
        clients.push(client);
      };
      // Until it refuses; then the listeners lose theirs and find no other.
      for (let number = 0; number < MAX_CONNECTIONS; number += 1) {
        try {
          await take();
        } catch {
          break;
        }
      }
      const ended = clients[0]
        ?.query(
          "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rowcast listener'",
        )
        .catch(NOTHING);
      await ended;
      await take().catch(NOTHING);
      return async () => {
        await Promise.all(clients.map((client) => client.end().catch(NOTHING)));
      };
    },
  },
  {
    kind: "postgres: an open transaction beside it",
    place: "transaction",
    lasts: [5 * SECOND, 40 * SECOND],
    weight: 2,
    async inflict({ ground }, dice) {
      const client = new Client({ connectionString: ground.cluster.url });
      client.on("error", NOTHING); // ended by another fault: rolled back
      const row = [21 + dice.between(0, 9), dice.between(1, 1_000_000), "late"];
      const commits = dice.chance(0.5);
      try {
        await client.connect();
        await client.query("BEGIN");
        await client.query("INSERT INTO items VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", row);
      } catch {
        return NOTHING; // another fault was faster
      }
      return async () => {
        await client.query(commits ? "COMMIT" : "ROLLBACK").catch(NOTHING);
        await client.end().catch(NOTHING);
      };
    },
  },
  {
    kind: "postgres: no room to write (simulated)",
    place: "postgres",
    lasts: [SECOND, 4 * SECOND],
    weight: 1,
    async inflict({ ground }) {
      await ground.cluster.ask("SELECT setval('no_room', 1)"); // schema.sql
      return async () => {
        await ground.cluster.ask("SELECT setval('no_room', 0)");
      };
    },
  },
  {
    kind: "postgres: the outbox is another one (new epoch)",
    place: "postgres",
    lasts: [0, 0],
    weight: 1,
    alone: true,
    async inflict(scene) {
      await beginEpoch(scene, async () => {
        await readTruth(scene);
        await scene.ground.cluster.ask("TRUNCATE rowcast.changes RESTART IDENTITY");
        scene.truth.goBack("0");
        await terminate(scene.ground.cluster.url, "application_name = 'rowcast listener'");
      });
      return NOTHING;
    },
  },
  {
    kind: "postgres: restored to an earlier state (new epoch)",
    place: "postgres",
    lasts: [0, 0],
    // Copies the whole cluster twice: only where it is asked for by name.
    weight: 0,
    alone: true,
    async inflict(scene) {
      const { ground, truth, writers } = scene;
      const { cluster } = ground;
      await scene.calm();
      await readTruth(scene);
      const { lastId } = truth;
      await cluster.stop("fast");
      await cluster.save();
      await cluster.start();
      writers.allow(LATER_LOST);
      await writers.spent(PATIENCE_MS);
      await beginEpoch(scene, async () => {
        await readTruth(scene);
        await cluster.stop("fast");
        await cluster.restore();
        await cluster.start();
        truth.goBack(lastId);
        return snapshot(scene);
      });
      return NOTHING;
    },
  },
];

function down(kind: string, how: "fast" | "immediate", lasts: Fault["lasts"], weight: number): Fault {
  return {
    kind,
    place: "postgres",
    lasts,
    weight,
    async inflict({ ground }) {
      await ground.cluster.stop(how);
      return () => ground.cluster.start();
    },
  };
}

async function terminate(url: string, which: string): Promise<void> {
  await askOnce(
    url,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${which} AND pid <> pg_backend_pid()`,
  ).catch(NOTHING); // Postgres is down: nobody is connected
}
