import { useEffect, useRef } from "preact/hooks";
import { drawMore, drawnCount, hasMore } from "../state/drawn.ts";

/** Near the end of the rows that are in the document: puts in more, before the end is seen. */
export function MoreRows() {
  const end = useRef<HTMLDivElement>(null);
  const count = drawnCount.value;
  const isNeeded = hasMore.value;
  useEffect(() => {
    if (!isNeeded || !end.current) return undefined;
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.some((entry) => entry.isIntersecting)) drawMore();
      },
      { rootMargin: "1500px 0px" },
    );
    observer.observe(end.current);
    return () => observer.disconnect();
    // observed anew after each lot: an end that is still near would not be reported again
  }, [count, isNeeded]);
  return isNeeded ? <div ref={end} class="more-rows" /> : null;
}
