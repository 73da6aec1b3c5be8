/** How much memory processes hold, from outside: of /proc where there is one, of `ps` elsewhere. */
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { promisify } from "node:util";

interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly name: string;
  /** Resident, in bytes. */
  readonly memory: number;
}

/** The workerd processes that this process has started, itself or through others. */
export async function workerdProcesses(): Promise<number[]> {
  const processes = await listProcesses();
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const isOurs = (pid: number): boolean => {
    for (let at = parents.get(pid); at !== undefined && at > 1; at = parents.get(at)) {
      if (at === process.pid) return true;
    }
    return false;
  };
  return processes.filter(({ pid, name }) => name.includes("workerd") && isOurs(pid)).map(({ pid }) => pid);
}

/** Together, in bytes. A process that has ended counts nothing. */
export async function memoryOf(pids: readonly number[]): Promise<number> {
  const processes = await listProcesses();
  return processes.filter(({ pid }) => pids.includes(pid)).reduce((sum, { memory }) => sum + memory, 0);
}

async function listProcesses(): Promise<ProcessInfo[]> {
  if (process.platform === "linux") {
    const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name)).map(Number);
    const infos = await Promise.all(pids.map(readStatus));
    return infos.filter((info) => info !== null);
  }
  const { stdout } = await promisify(execFile)("ps", ["-A", "-o", "pid=,ppid=,rss=,comm="]);
  return stdout.split("\n").flatMap((line) => {
    const [pid, parent, kilobytes, ...name] = line.trim().split(/ +/);
    if (pid === undefined || pid === "") return [];
    return {
      pid: Number(pid),
      parent: Number(parent),
      memory: Number(kilobytes) * 1024,
      name: name.join(" "),
    };
  });
}

async function readStatus(pid: number): Promise<ProcessInfo | null> {
  // One that ends meanwhile is no longer there to be read.
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => null);
  if (status === null) return null;
  const field = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, "m").exec(status)?.[1] ?? "";
  return {
    pid,
    parent: Number(field("PPid")),
    name: field("Name"),
    memory: Number(field("VmRSS")) * 1024,
  };
}
