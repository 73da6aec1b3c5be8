/** The time in ms since 1970, once a second, for what counts down or grows old. Costs nothing while nothing reads it. */
import { signal, type ReadonlySignal } from "@preact/signals";

let timer: ReturnType<typeof setInterval> | undefined;

const clock = signal(Date.now(), {
  watched() {
    clock.value = Date.now();
    timer = setInterval(() => {
      clock.value = Date.now();
    }, 1000);
  },
  unwatched() {
    clearInterval(timer);
  },
});

export const now: ReadonlySignal<number> = clock;
