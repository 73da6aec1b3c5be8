/** A value that can be read now and followed: the shape that Preact signals, React stores and plain code adapt to in a line. */
export interface Observable<T> {
  get(): T;
  /** Calls `listener` on each later change, not at once. Returns the function that ends it. */
  subscribe(listener: (value: T) => void): () => void;
}

/** An observable and the only function that sets it. Setting the identical value tells nobody. */
export function observable<T>(initial: T): { value: Observable<T>; set: (next: T) => void } {
  let current = initial;
  const listeners = new Listeners<T>();
  return {
    value: { get: () => current, subscribe: (listener) => listeners.add(listener) },
    set: (next) => {
      if (Object.is(next, current)) return;
      current = next;
      listeners.call(next);
    },
  };
}

/** A set of listeners, none of which can harm the others or the caller. */
export class Listeners<T> {
  readonly #listeners = new Set<{ call: (value: T) => void }>();

  get size(): number {
    return this.#listeners.size;
  }

  /** The same function added twice is called twice. Returns the function that takes this one off. */
  add(call: (value: T) => void): () => void {
    const entry = { call };
    this.#listeners.add(entry);
    return () => void this.#listeners.delete(entry);
  }

  /** Calls each one; what a listener throws surfaces as an uncaught error, as with DOM events, after all were called. */
  call(value: T): void {
    for (const { call } of this.#listeners) {
      try {
        call(value);
      } catch (error) {
        queueMicrotask(() => {
          throw error;
        });
      }
    }
  }
}

/** Listeners by the name of what they listen for. */
export interface Emitter<Events> {
  readonly on: <K extends keyof Events>(name: K, listener: (event: Events[K]) => void) => () => void;
  readonly emit: <K extends keyof Events>(name: K, event: Events[K]) => void;
}

/** An emitter for a map of event names to what each carries. */
export function emitter<Events>(): Emitter<Events> {
  const byName: { [K in keyof Events]?: Listeners<Events[K]> } = {};
  return {
    on: (name, listener) => (byName[name] ??= new Listeners()).add(listener),
    emit: (name, event) => byName[name]?.call(event),
  };
}
