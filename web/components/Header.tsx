import { serverStatus } from "../state/connection.ts";
import { LISTENER_WORDS } from "../state/words.ts";
import { Connection } from "./Connection.tsx";

export function Header() {
  return (
    <header class="header">
      <h1 class="brand">
        <svg viewBox="0 0 32 32" width="24" height="24" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M7 10h10M7 16h7M7 22h10M20.5 11.5a6.4 6.4 0 0 1 0 9M24.5 8a11.4 11.4 0 0 1 0 16" />
        </svg>
        Rowcast
      </h1>
      <div class="header-facts">
        <Listener />
        <Watching />
        <Connection />
      </div>
    </header>
  );
}

function Watching() {
  const status = serverStatus.value;
  if (!status) return null;
  const count = status.connectedClients;
  return (
    <span class="fact" data-testid="watching">
      {count === 1 ? "1 person watching" : `${count.toLocaleString()} people watching`}
    </span>
  );
}

function Listener() {
  const status = serverStatus.value;
  const words = status && LISTENER_WORDS[status.listener];
  if (!words) return null;
  return (
    <span class="fact fact-notice" title={words.long} data-testid="listener">
      {words.short}
      <span class="sr-only">. {words.long}</span>
    </span>
  );
}
