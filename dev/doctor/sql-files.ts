/** What the migrations make, read from their own text, so that a list of it need not be kept beside them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { SQL_DIR } from "../migrate.ts";

export interface SqlFile {
  /** Without `.sql`, as applied migrations are named. */
  readonly name: string;
  readonly text: string;
}

export interface Grant {
  readonly role: string;
  /** `EXECUTE`, `SELECT`. */
  readonly privilege: string;
  readonly kind: "function" | "schema" | "table";
  /** As SQL names it; a function with its arguments. */
  readonly object: string;
}

export interface SqlObjects {
  /** Names of the functions of the schema rowcast, each with the file that made it last. */
  readonly functions: ReadonlyMap<string, string>;
  /** The same for tables and views, `schema.name`. */
  readonly relations: ReadonlyMap<string, string>;
  readonly grants: readonly Grant[];
}

/** The files of sql/, in their order. */
export function readSqlFiles(): SqlFile[] {
  return readdirSync(SQL_DIR)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()
    .map((file) => ({ name: file.replace(/\.sql$/, ""), text: readFileSync(join(SQL_DIR, file), "utf8") }));
}

const FUNCTION = /\b(CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?FUNCTION\s+(?:IF\s+EXISTS\s+)?rowcast\.(\w+)/gi;
const RELATION =
  /\b(CREATE|DROP)\s+(?:OR\s+REPLACE\s+)?(?:TABLE|VIEW)\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?((?:rowcast|public)\.\w+)/gi;
const GRANT = /\bGRANT\s+([\w\s,]+?)\s+ON\s+(FUNCTION|SCHEMA|TABLE)?\s*([^;]+?)\s+TO\s+(rowcast_\w+)\s*;/gi;

/** What is there when all of them have been applied. */
export function objectsOf(files: readonly SqlFile[]): SqlObjects {
  const functions = new Map<string, string>();
  const relations = new Map<string, string>();
  const grants: Grant[] = [];
  for (const { name, text } of files) {
    const code = text.replaceAll(/--.*$/gm, "");
    for (const [objects, pattern] of [[functions, FUNCTION] as const, [relations, RELATION] as const]) {
      for (const [, verb = "", object = ""] of code.matchAll(pattern)) {
        if (verb.toUpperCase() === "DROP") objects.delete(object);
        else objects.set(object, name);
      }
    }
    for (const [, privileges = "", kind = "TABLE", objects = "", role = ""] of code.matchAll(GRANT)) {
      for (const object of splitList(objects)) {
        for (const privilege of splitList(privileges)) {
          grants.push({ role, privilege, kind: kind.toLowerCase() as Grant["kind"], object });
        }
      }
    }
  }
  return { functions, relations, grants };
}

/** At the commas that are not within parentheses. */
function splitList(text: string): string[] {
  return text.split(/,(?![^(]*\))/).map((part) => part.replaceAll(/\s+/g, " ").trim());
}
