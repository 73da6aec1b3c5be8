/** The outbox as an application sees it: a list to show, and a promise for each write. */
import { deferred, type Deferred } from "../deferred.ts";
import { observable } from "../observable.ts";
import type { Observable } from "../observable.ts";
import type { Outbox, Write } from "./outbox.ts";
import type { PendingWrite, WriteRefused } from "./write.ts";

export class Pending<R> {
  readonly #shown = observable<readonly PendingWrite<R>[]>([]);
  /** What is promised of each write, by its id. */
  readonly #promised = new Map<string, Deferred<R | null>>();

  get value(): Observable<readonly PendingWrite<R>[]> {
    return this.#shown.value;
  }

  show({ id, kind, key, fields, since, attempt }: Write<R>): PendingWrite<R> {
    let promised = this.#promised.get(id);
    if (promised === undefined) {
      promised = deferred<R | null>();
      promised.promise.catch(() => undefined); // whoever does not ask is told by `refused`
      this.#promised.set(id, promised);
    }
    return { id, kind, key, fields, since, attempt, done: promised.promise };
  }

  resolve(id: string, row: R | null): void {
    this.#promised.get(id)?.resolve(row);
  }

  reject(id: string, error: WriteRefused): void {
    this.#promised.get(id)?.reject(error);
  }

  publish(outbox: Outbox<R>): void {
    const shown = outbox.map((write) => this.show(write));
    const ids = new Set(outbox.map(({ id }) => id));
    for (const id of this.#promised.keys()) if (!ids.has(id)) this.#promised.delete(id);
    this.#shown.set(shown);
  }
}
