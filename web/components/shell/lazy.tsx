/** Parts of the page that are fetched when they are needed, or when there is time: the first view does without them. */
import { signal } from "@preact/signals";
import type { ComponentType } from "preact";
import { useEffect } from "preact/hooks";
import { notify } from "../../state/toasts.ts";

export interface LazyPart {
  /** Shows nothing until it is there. */
  readonly Part: () => preact.JSX.Element | null;
  /** Fetches it ahead; offline it could not be. */
  readonly preload: () => void;
}

export function lazyPart(load: () => Promise<ComponentType>): LazyPart {
  const loaded = signal<{ readonly Content: ComponentType } | null>(null);
  let loading = false;
  const fetchIt = (tell: boolean): void => {
    if (loading || loaded.peek()) return;
    loading = true;
    load().then(
      (Content) => {
        loaded.value = { Content };
      },
      () => {
        loading = false; // the next opening tries again
        if (tell)
          notify({
            text: "This part of the page could not be loaded. Try again, or load the page again.",
            tone: "error",
          });
      },
    );
  };
  return {
    Part() {
      useEffect(() => fetchIt(true), []);
      const part = loaded.value;
      return part && <part.Content />;
    },
    preload: () => fetchIt(false),
  };
}
