/** Rowcast with Preact signals. */
import { signal } from "@preact/signals";
import type { ReadonlySignal } from "@preact/signals";
import type { Observable } from "../index.ts";

/**
 * The observable as a signal. It follows the observable while something watches it (a component, an effect), and lets go by
 * itself after that; read at any other time, it looks. A `computed` of it that nothing watches may be one value behind.
 */
export function toSignal<T>(observable: Observable<T>): ReadonlySignal<T> {
  let end: (() => void) | null = null;
  const follower = signal(observable.get(), {
    watched: () => {
      end = observable.subscribe((value) => {
        follower.value = value;
      });
      follower.value = observable.get();
    },
    unwatched: () => {
      end?.();
      end = null;
    },
  });
  // Not a class of its own: Preact draws signals by what it has put on their prototype.
  const value = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(follower), "value");
  Object.defineProperty(follower, "value", {
    ...value,
    get: () => {
      if (end === null) value?.set?.call(follower, observable.get());
      return value?.get?.call(follower) as T;
    },
  });
  return follower;
}
