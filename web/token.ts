/**
 * Who is looking, where the deployment asks: a token given once in the page's address (`#token=…`, which browsers send to no
 * server), then kept by this browser.
 */
const KEY = "rowcast.token";

// Only what comes after the # has changed, so the browser does not load the page again.
addEventListener("hashchange", () => {
  if (givenToken() !== null) location.reload();
});

function givenToken(): string | null {
  return new URLSearchParams(location.hash.slice(1)).get("token");
}

/** The token, if there is one. One in the address replaces the one that is kept, and leaves the address. */
export function readToken(): string | undefined {
  const given = givenToken();
  try {
    if (given !== null) {
      localStorage.setItem(KEY, given);
      history.replaceState(null, "", location.pathname + location.search);
    }
    return given ?? localStorage.getItem(KEY) ?? undefined;
  } catch {
    return given ?? undefined; // a browser that keeps nothing
  }
}
