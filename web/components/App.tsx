import { signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { announcement, feed } from "../state/feed.ts";
import { total } from "../state/orders.ts";
import { helpOpen, panelOpen } from "../state/panel.ts";
import { Dialogs } from "./Dialogs.tsx";
import { Feed } from "./Feed.tsx";
import { Header } from "./Header.tsx";
import { Orders } from "./Orders.tsx";
import { isIdle } from "./shell/idle.ts";
import { lazyPart } from "./shell/lazy.tsx";
import { Overview } from "./shell/Overview.tsx";
import { Toast } from "./Toast.tsx";

const VIEWS = ["orders", "changes", "charts"] as const;

/** On a narrow screen one of them is shown. */
const view = signal<(typeof VIEWS)[number]>("orders");

const panel = lazyPart(async () => (await import("./Panel.tsx")).Panel);
const help = lazyPart(async () => (await import("./Help.tsx")).Help);

export function App() {
  return (
    <>
      <Header />
      <main data-view={view}>
        <ViewSwitch />
        <Overview />
        <div class="panes" data-view={view}>
          <Orders />
          <Feed />
        </div>
      </main>
      {panelOpen.value && <panel.Part />}
      {helpOpen.value && <help.Part />}
      <Dialogs />
      <Toast />
      <p class="sr-only" aria-live="polite">
        {announcement}
      </p>
      <Ahead />
    </>
  );
}

/** Fetches what may be opened later, for when there is no network then. */
function Ahead() {
  useEffect(() => {
    if (isIdle.value) [panel, help].forEach((part) => part.preload());
  }, [isIdle.value]);
  return null;
}

function ViewSwitch() {
  const counts = {
    orders: total.value.toLocaleString(),
    changes: feed.value.length.toLocaleString(),
    charts: "",
  };
  return (
    <nav class="view-switch" aria-label="View">
      {VIEWS.map((name) => (
        <button
          key={name}
          type="button"
          aria-pressed={view.value === name}
          onClick={() => {
            view.value = name;
          }}
        >
          {name.charAt(0).toUpperCase()}
          {name.slice(1)} {counts[name] && <span class="count">{counts[name]}</span>}
        </button>
      ))}
    </nav>
  );
}
