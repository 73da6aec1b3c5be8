import { expect, test } from "vitest";
import { supervise, type Running } from "../../dev/supervise.ts";

/** A part that ends when the test says so. */
function stagePart() {
  const runs: { die(how: string): void; readonly stopped: () => boolean }[] = [];
  const started: (() => void)[] = [];
  const start = async (): Promise<Running> => {
    const ending = Promise.withResolvers<string>();
    let stopped = false;
    const stop = async () => {
      stopped = true;
      ending.resolve("exit code 0");
    };
    runs.push({ die: ending.resolve, stopped: () => stopped });
    started.splice(0).forEach((tell) => tell());
    return { pid: runs.length, exited: ending.promise, stop, kill: () => ending.resolve("SIGKILL") };
  };
  const nextStart = () => new Promise<void>((resolve) => void started.push(resolve));
  return { runs, start, nextStart };
}

test("a part that dies is named and started again", async () => {
  const { runs, start, nextStart } = stagePart();
  const said: string[] = [];
  const part = await supervise("listener", start, (line) => said.push(line), 1);
  const again = nextStart();
  runs[0]?.die("exit code 1");
  await again;
  expect(said).toEqual(["listener ended (exit code 1): starting it again in 0.001 s"]);
  await expect.poll(() => part.current.pid).toBe(2);
  await part.stop();
  expect(runs[1]?.stopped()).toBe(true);
});

test("one that dies again and again is given up, with its last words", async () => {
  const { runs, start, nextStart } = stagePart();
  const part = await supervise("worker", start, () => undefined, 1);
  for (let deaths = 1; deaths <= 6; deaths += 1) {
    const again = nextStart();
    runs.at(-1)?.die("exit code 1");
    await again;
  }
  runs.at(-1)?.die("exit code 9");
  expect(await part.ended).toBe("worker ended 7 times in a row (exit code 9)");
});

test("a start that fails counts as a death", async () => {
  const { runs, start } = stagePart();
  let starts = 0;
  const failing = async () => {
    starts += 1;
    if (starts > 1) throw new Error("no such file");
    return start();
  };
  const part = await supervise("web", failing, () => undefined, 1);
  runs[0]?.die("exit code 1");
  expect(await part.ended).toBe("web ended 7 times in a row (no such file)");
});

test("what is stopped is not started again, during a pause neither", async () => {
  const { runs, start } = stagePart();
  const said = Promise.withResolvers<string>();
  const part = await supervise("listener", start, said.resolve, 60_000);
  runs[0]?.die("exit code 1");
  await said.promise;
  await part.stop();
  expect(await part.ended).toBe(null);
  expect(runs).toHaveLength(1);
});
