/** An observable of the SDK as a signal. */
import { signal, type ReadonlySignal } from "@preact/signals";
import type { Observable } from "../../client/index.ts";

/** A signal that follows `observable` for as long as the page lives. */
export function observe<T>(observable: Observable<T>): ReadonlySignal<T> {
  const follower = signal(observable.get());
  observable.subscribe((value) => {
    follower.value = value;
  });
  return follower;
}
