/** `npx vite build web`: the dashboard and the 404 page, as static assets for the Worker. */
import { fileURLToPath } from "node:url";
import { preact } from "@preact/preset-vite";
import { defineConfig } from "vite";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here("."),
  plugins: [preact()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    target: "es2022",
    // those that know light-dark() (2024), which otherwise would be written out
    cssTarget: ["chrome123", "edge123", "firefox120", "safari17.5"],
    // The polyfill is an inline script, which the content security policy forbids; browsers of the target have no need of it.
    modulePreload: { polyfill: false },
    // An inlined asset would be a data: URL, and the policy allows those for images only.
    assetsInlineLimit: 0,
    rolldownOptions: { input: [here("index.html"), here("404.html")] },
  },
});
