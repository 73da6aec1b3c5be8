/** The browser knows first that the network or the user is back. Node has none of these events. */
export function watchPage(on: (type: "online" | "offline" | "visible") => void): () => void {
  const page = globalThis as Partial<Pick<Window, "addEventListener" | "removeEventListener" | "document">>;
  if (!page.addEventListener) return () => undefined;
  const listener = ({ type }: { readonly type: string }): void => {
    if (type === "online" || type === "offline") on(type);
    else if (page.document?.visibilityState === "visible") on("visible");
  };
  // `visibilitychange` is fired at the document and bubbles to the window.
  const types = ["online", "offline", "visibilitychange"];
  for (const type of types) page.addEventListener(type, listener);
  return () => types.forEach((type) => page.removeEventListener?.(type, listener));
}
