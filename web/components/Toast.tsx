import { dismissToast, toast } from "../state/toasts.ts";

export function Toast() {
  const message = toast.value;
  return (
    <div class="toast-region" aria-live="polite">
      {message && (
        <div class="toast" data-error={message.isError || undefined}>
          <p>{message.text}</p>
          <button type="button" class="button button-quiet button-small" onClick={dismissToast}>
            Dismiss
          </button>
        </div>
      )}
    </div>
  );
}
