/** The half of the self-test that asks Postgres. */
import { adviseOnTls, directHost } from "../../protocol/postgres-url.ts";
import { failed, messageOf, ok, skipped, type Check, type Finding } from "./check.ts";
import { readClock } from "./clocks.ts";
import { objectsOf, readSqlFiles } from "./sql-files.ts";
import type { Stage } from "./stage.ts";

/** CREATE OR REPLACE TRIGGER is of 14. */
const OLDEST_VERSION = 140_000;
const LISTEN_PATIENCE_MS = 2_000;
const MAX_OUTBOX_ROWS = 1_000_000;
/** A listener that sleeps looks every six hours, and leaves the last hour. */
const MAX_OUTBOX_AGE_MS = 7 * 3_600_000;
/** Fewer that stay for longer are the last ones before nobody watched. */
const MAX_OLD_ROWS = 1_000;
const INSUFFICIENT_PRIVILEGE = "42501";
const AS_OWNER = "not for this login to see: give the owner's address with --database-url";

export const databaseChecks: readonly Check<Stage>[] = [
  {
    name: "DATABASE_URL",
    fix: "set it to postgres://user:password@host:5432/database",
    run({ settings: { databaseUrl } }) {
      const url = URL.parse(databaseUrl.value);
      if (url === null || !/^postgres(ql)?:$/.test(url.protocol)) {
        return failed("is no address of a Postgres", "set it to postgres://user:password@host:5432/database");
      }
      return ok(`${databaseUrl.from}: ${url.username}@${url.host}${url.pathname}`);
    },
  },
  {
    name: "direct host",
    needs: ["DATABASE_URL"],
    fix: "take the direct address of the database",
    run({ settings: { databaseUrl } }) {
      const { hostname, searchParams } = new URL(databaseUrl.value);
      const host = searchParams.get("host") ?? hostname;
      const direct = directHost(host);
      if (direct === host) return ok(host);
      return failed(
        `${host} is a pooler, behind which LISTEN never hears anything`,
        `the listener needs the direct host: ${direct} (the Worker may use either)`,
      );
    },
  },
  {
    name: "database",
    needs: ["DATABASE_URL"],
    fix: "`npm start` brings up the local one; for another, is the address right and may this machine reach it?",
    async run(stage) {
      try {
        await stage.database();
      } catch (error) {
        const { code, message } = error as Error & { code?: unknown };
        const fix =
          (typeof code === "string" ? CONNECT_FIXES[code] : undefined) ?? adviseOnTls({ code, message });
        if (fix !== null) return failed(messageOf(error), fix);
        throw error;
      }
      const ask = async () => {
        const [row] = await stage.query<{ ms: number }>(
          "SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS ms",
        );
        return row?.ms ?? Number.NaN;
      };
      const clock = await readClock(ask, stage.now);
      stage.clocks.set("database", clock);
      return ok(`answers within ${Math.max(1, Math.ceil(clock.uncertainty * 2))} ms`);
    },
  },
  {
    name: "notifications",
    needs: ["database"],
    fix: "is a pooler in between? The listener needs the direct address",
    async run(stage) {
      const client = await stage.database();
      // A pooler takes the LISTEN and delivers nothing, with no error: only trying shows it.
      const channel = "rowcast_doctor";
      let heard = false;
      client.on("notification", (notification) => (heard ||= notification.channel === channel));
      await client.query(`LISTEN ${channel}`);
      await client.query("SELECT pg_notify($1, '')", [channel]);
      const deadline = stage.now() + LISTEN_PATIENCE_MS;
      // The notification comes with an answer, or right behind it.
      while (!heard && stage.now() < deadline) await client.query("SELECT 1");
      await client.query(`UNLISTEN ${channel}`);
      if (heard) return ok("LISTEN hears NOTIFY");
      return failed(
        "LISTEN was accepted and heard nothing",
        "a pooler is in between: the listener needs the direct address, or session pooling",
      );
    },
  },
  {
    name: "version",
    needs: ["database"],
    fix: "move to Postgres 14 or later",
    async run(stage) {
      const [row] = await stage.query<{ number: number; version: string }>(
        "SELECT current_setting('server_version_num')::int AS number, current_setting('server_version') AS version",
      );
      const { number = 0, version = "?" } = row ?? {};
      if (number >= OLDEST_VERSION) return ok(`Postgres ${version}`);
      return failed(`Postgres ${version}`, "move to Postgres 14 or later");
    },
  },
  {
    name: "migrations",
    needs: ["database"],
    fix: "`npm run migrate`, as the owner of the database",
    run: findMigrations,
  },
  {
    name: "rights",
    needs: ["database"],
    fix: "`npm run migrate`, as the owner of the database",
    run: findRights,
  },
  {
    name: "triggers",
    needs: ["migrations"],
    fix: "SELECT rowcast.watch('table'), as the owner of the table",
    run: (stage) => orTold(() => findTriggers(stage)),
  },
  {
    name: "outbox",
    needs: ["migrations"],
    fix: 'see docs/operations.md, "Outbox growing"',
    run: (stage) => orTold(() => findOutbox(stage)),
  },
];

const CONNECT_FIXES: Readonly<Record<string, string>> = {
  "28P01": "check user and password in the address; `npm run roles` gives the roles new ones",
  "28000": "check user and password in the address; `npm run roles` gives the roles new ones",
  "3D000": "check the name of the database in the address, or create it",
  "53300":
    "no connection is left: who has them? SELECT usename, application_name, count(*) FROM pg_stat_activity GROUP BY 1, 2",
  ENOTFOUND: "check the host in the address",
};

async function findMigrations(stage: Stage): Promise<Finding> {
  const files = readSqlFiles();
  const applied = await stage
    .query<{ name: string }>("SELECT name FROM rowcast_migrations.applied")
    .then((rows) => new Set(rows.map(({ name }) => name)))
    .catch((error: unknown) => {
      // Not there: nothing was applied. Not for us to read: then only what they made is looked at.
      if ((error as { code?: unknown }).code === INSUFFICIENT_PRIVILEGE) return null;
      return new Set<string>();
    });
  const pending = files.filter(({ name }) => applied !== null && !applied.has(name));
  if (pending.length > 0) {
    return failed(
      `not applied: ${pending.map(({ name }) => `${name}.sql`).join(", ")}`,
      "`npm run migrate`, as the owner of the database",
    );
  }
  const { functions, relations } = objectsOf(files);
  const [there] = await stage.query<{ functions: string[]; relations: string[] }>(`
    SELECT ARRAY(SELECT proname::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE n.nspname = 'rowcast') AS functions,
      ARRAY(SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname IN ('rowcast', 'public')) AS relations`);
  const missing = [
    ...[...functions].filter(([name]) => !there?.functions.includes(name)),
    ...[...relations].filter(([name]) => !there?.relations.includes(name)),
  ];
  if (missing.length === 0) return ok(`${files.length} files, and all that they make is there`);
  const from = [...new Set(missing.map(([, file]) => `sql/${file}.sql`))].toSorted();
  return failed(
    `missing, though applied: ${missing.map(([name]) => name).join(", ")}`,
    `as the owner of the database: ${from.map((file) => `psql "$DATABASE_URL" -f ${file}`).join(" && ")}`,
  );
}

async function findRights(stage: Stage): Promise<Finding> {
  const { grants } = objectsOf(readSqlFiles());
  const columns = ["role", "privilege", "kind", "object"] as const;
  const rows = await stage.query<{ role: string; privilege: string; object: string; has: boolean | null }>(
    `SELECT g.role, g.privilege, g.object, CASE g.kind
        WHEN 'function' THEN has_function_privilege(r.oid, to_regprocedure(g.object), g.privilege)
        WHEN 'table' THEN has_table_privilege(r.oid, to_regclass(g.object), g.privilege)
        ELSE has_schema_privilege(r.oid, (SELECT oid FROM pg_namespace WHERE nspname = g.object), g.privilege)
      END AS has
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]) AS g (role, privilege, kind, object)
      JOIN pg_roles r ON r.rolname = g.role`,
    columns.map((column) => grants.map((grant) => grant[column])),
  );
  if (rows.length === 0) return ok("no roles of their own here: the parts use the login they are given");
  // What is not there has no rights: that is for the check of the migrations.
  const lacking = rows.filter(({ has }) => has === false);
  if (lacking.length === 0) {
    return ok([...new Set(rows.map(({ role }) => role))].join(" and ") + " have what they need");
  }
  const { role = "", privilege = "", object = "" } = lacking[0] ?? {};
  const more = lacking.length > 1 ? `, and ${lacking.length - 1} more` : "";
  const kind = object.includes("(") ? "FUNCTION " : object.includes(".") ? "" : "SCHEMA ";
  return failed(
    `${role} lacks ${privilege} on ${object}${more}`,
    `as the owner: GRANT ${privilege} ON ${kind}${object} TO ${role}; or all of them: psql "$DATABASE_URL" -f sql/010_roles.sql and the later files`,
  );
}

async function findTriggers(stage: Stage): Promise<Finding> {
  const rows = await stage.query<{ name: string; part: string; trigger: string; state: string | null }>(`
    SELECT rowcast.table_name(w.relation) AS name, t.relation::text AS part, e.trigger, g.tgenabled::text AS state
    FROM rowcast.watched w
    CROSS JOIN LATERAL rowcast.tree(w.relation) AS t (relation)
    JOIN pg_class c ON c.oid = t.relation AND c.relkind <> 'f'
    CROSS JOIN LATERAL unnest(ARRAY['_rowcast_insert', '_rowcast_update', '_rowcast_delete',
      CASE WHEN c.relispartition THEN '_rowcast_before_truncate' ELSE '_rowcast_truncate' END]) AS e (trigger)
    LEFT JOIN pg_trigger g ON g.tgrelid = t.relation AND g.tgname = e.trigger AND NOT g.tgisinternal
    ORDER BY 1, 2, 3`);
  const tables = [...new Set(rows.map(({ name }) => name))].filter((name) => !name.startsWith("rowcast."));
  if (tables.length === 0) return failed("no table is watched", "SELECT rowcast.watch('orders')");
  const missing = rows.find(({ state }) => state === null);
  if (missing !== undefined) {
    const { name, part, trigger } = missing;
    const call = name.startsWith("rowcast.") ? "sync" : "watch";
    return failed(
      `${part} lacks ${trigger}: what it should capture is not seen`,
      `as the owner of the table: SELECT rowcast.${call}('${name.replaceAll("'", "''")}')`,
    );
  }
  // O: fires as usual, A: always. D never does, R only in a replica.
  const silent = rows.find(({ state }) => state !== "O" && state !== "A");
  if (silent !== undefined) {
    const { part, trigger } = silent;
    return failed(
      `${trigger} of ${part} is disabled: what it should capture is not seen`,
      `as the owner of the table: ALTER TABLE ${part} ENABLE TRIGGER "${trigger}"`,
    );
  }
  return ok(`on ${tables.join(", ")}`);
}

async function findOutbox(stage: Stage): Promise<Finding> {
  const [row] = await stage.query<{ rows: string; age: number | null }>(
    "SELECT rows, extract(epoch FROM clock_timestamp() - oldest_at)::float8 * 1000 AS age FROM rowcast.outbox_size()",
  );
  const rows = Number(row?.rows ?? 0);
  const age = row?.age ?? 0;
  const detail = rows === 0 ? "empty" : `${rows} rows at most, the oldest ${describeAge(age)} old`;
  if (rows > MAX_OUTBOX_ROWS) {
    return failed(detail, 'see docs/operations.md, "Outbox growing": is anything delivered, and pruned?');
  }
  if (rows > MAX_OLD_ROWS && age > MAX_OUTBOX_AGE_MS) {
    return failed(detail, 'nobody prunes it, see docs/operations.md, "Prune behind": does a listener run?');
  }
  return ok(detail);
}

/** What a login may not see is no fault. */
async function orTold(find: () => Promise<Finding>): Promise<Finding> {
  try {
    return await find();
  } catch (error) {
    if ((error as { code?: unknown }).code === INSUFFICIENT_PRIVILEGE) return skipped(AS_OWNER);
    throw error;
  }
}

function describeAge(ms: number): string {
  const minutes = Math.round(ms / 60_000);
  if (minutes < 1) return "less than a minute";
  return minutes < 120 ? `${minutes} min` : `${Math.round(minutes / 60)} h`;
}
