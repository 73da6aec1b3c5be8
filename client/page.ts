/** What there is of a page: a browser has all of it, a worker has the events, Node has nothing. */
interface Page {
  readonly addEventListener?: (type: string, listener: (event: { readonly type: string }) => void) => void;
  readonly removeEventListener?: Page["addEventListener"];
  readonly document?: { readonly visibilityState: string };
}

/** The browser knows first that the network or the user is back. Returns the function that stops listening. */
export function watchPage(on: (type: "online" | "offline" | "visible") => void): () => void {
  const page = globalThis as Page;
  const listener = ({ type }: { readonly type: string }): void => {
    if (type === "online" || type === "offline") on(type);
    else if (page.document?.visibilityState === "visible") on("visible");
  };
  // `visibilitychange` is fired at the document and bubbles to the window.
  const types = ["online", "offline", "visibilitychange"];
  for (const type of types) page.addEventListener?.(type, listener);
  return () => types.forEach((type) => page.removeEventListener?.(type, listener));
}
