// Before the first paint, so that a page that is to be dark does not flash white. See state/theme.ts.
try {
  const theme = localStorage.getItem("rowcast.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // a browser that keeps nothing
}
