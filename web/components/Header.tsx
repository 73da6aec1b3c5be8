import { connection, serverStatus } from "../state/connection.ts";
import { latencyNow, latencyTrail } from "../state/latency.ts";
import { milliseconds } from "../state/latency-histogram.ts";
import { helpOpen } from "../state/panel.ts";
import { Connection } from "./Connection.tsx";
import { EyeIcon } from "./OrdersIcons.tsx";
import { HelpIcon } from "./shell/icons.tsx";
import { NotificationSwitch } from "./shell/NotificationSwitch.tsx";
import { Sparkline } from "./shell/Sparkline.tsx";
import { ThemeSwitch } from "./shell/ThemeSwitch.tsx";
import { StaleNotice } from "./StaleNotice.tsx";

/** Stays at the top, and with it what is to be known of all below: whether it is live. */
export function Header() {
  return (
    <header class="top">
      <a class="skip" href="#orders-title">
        Skip to the orders
      </a>
      <div class="header">
        <h1 class="brand">
          <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M7 10h10M7 16h7M7 22h10M20.5 11.5a6.4 6.4 0 0 1 0 9M24.5 8a11.4 11.4 0 0 1 0 16" />
          </svg>
          Rowcast
        </h1>
        <div class="header-facts">
          <Latency />
          <Watching />
          <Connection />
        </div>
        <div class="header-tools">
          <NotificationSwitch />
          <ThemeSwitch />
          <button
            type="button"
            class="icon-button"
            aria-label="Help and keys"
            title="Help and keys (?)"
            onClick={() => {
              helpOpen.value = true;
            }}
          >
            <HelpIcon />
          </button>
        </div>
      </div>
      <StaleNotice />
    </header>
  );
}

/** What is not known now is not shown. */
const isLive = () => connection.value.name === "live";

function Watching() {
  const count = serverStatus.value?.connectedClients;
  if (count === undefined || !isLive()) return null;
  return (
    <span class="fact" data-testid="watching">
      <EyeIcon />
      <span>
        {count.toLocaleString()}{" "}
        <span class="fact-word">{count === 1 ? "person watching" : "people watching"}</span>
      </span>
    </span>
  );
}

function Latency() {
  const ms = latencyNow.value;
  if (ms === null || !isLive()) return null;
  return (
    <span
      class="fact"
      data-testid="latency"
      title="From the commit in the database to this screen, of the newest change"
    >
      <Sparkline values={latencyTrail.value} />
      <span class="fact-figure">{milliseconds(ms)}</span>
      <span class="sr-only">from commit to screen</span>
    </span>
  );
}
