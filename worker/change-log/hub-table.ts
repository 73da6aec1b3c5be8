/** The hubs below, as they are kept through the loss of memory: a row each, written when their number of clients changes. */
import type { HubReport } from "./fan-out.ts";

interface HubRow extends Record<string, SqlStorageValue> {
  name: string;
  clients: number;
  at: number;
}

export class HubTable {
  readonly #sql: SqlStorage;

  constructor(sql: SqlStorage) {
    this.#sql = sql;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS hubs (name TEXT PRIMARY KEY, clients INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID",
    );
  }

  all(): [name: string, report: HubReport][] {
    const rows = this.#sql.exec<HubRow>("SELECT name, clients, at FROM hubs").toArray();
    return rows.map(({ name, clients, at }) => [name, { clients, at }]);
  }

  /** @param report null for a hub that has left. */
  keep(name: string, report: HubReport | null): void {
    if (report === null) this.#sql.exec("DELETE FROM hubs WHERE name = ?", name);
    else
      this.#sql.exec(
        "INSERT OR REPLACE INTO hubs (name, clients, at) VALUES (?, ?, ?)",
        name,
        report.clients,
        report.at,
      );
  }
}
