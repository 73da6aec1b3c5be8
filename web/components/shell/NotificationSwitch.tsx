import { canNotify, notificationsOn, setNotifications } from "../../state/notifications.ts";
import { BellIcon, BellOffIcon } from "./icons.tsx";

/** The browser's own notifications, while the page is hidden. */
export function NotificationSwitch() {
  if (!canNotify) return null;
  const on = notificationsOn.value;
  return (
    <button
      type="button"
      class="icon-button"
      data-testid="notifications"
      aria-pressed={on}
      aria-label="Notify me while this page is hidden"
      title={on ? "You are notified while this page is hidden" : "Notify me while this page is hidden"}
      onClick={() => void setNotifications(!on)}
    >
      {on ? <BellIcon /> : <BellOffIcon />}
    </button>
  );
}
