/** The dashboard's way in. */
import { render } from "preact";
import { App } from "./components/App.tsx";
import "./state/connection-log.ts";
import "./state/keyboard.ts";
import "./state/notifications.ts";
import "./state/theme.ts";

const root = document.getElementById("app");
if (root) render(<App />, root);
