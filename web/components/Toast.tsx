import { dismissToast, holdToast, leaveLater, type ShownToast, toasts } from "../state/toasts.ts";

/** Two regions, which are in the document from the start: a screen reader hears only what comes into one it knows. */
export function Toast() {
  const shown = toasts.value;
  return (
    <div class="toast-region">
      <div aria-live="polite" role="status">
        {shown
          .filter(({ tone }) => tone !== "error")
          .map((toast) => (
            <One key={toast.id} toast={toast} />
          ))}
      </div>
      <div aria-live="assertive" role="alert">
        {shown
          .filter(({ tone }) => tone === "error")
          .map((toast) => (
            <One key={toast.id} toast={toast} />
          ))}
      </div>
    </div>
  );
}

function One({ toast }: { readonly toast: ShownToast }) {
  const { id, text, tone, action, times } = toast;
  // an action is possible only for so long, whoever looks at it
  const hold = () => {
    if (!action) holdToast(id);
  };
  const leave = () => {
    if (!action) leaveLater(toast);
  };
  return (
    <div
      class="toast"
      data-tone={tone}
      data-testid="toast"
      onPointerEnter={hold}
      onPointerLeave={leave}
      onFocusIn={hold}
      onFocusOut={leave}
    >
      <span class="toast-mark" aria-hidden="true" />
      <p>
        {text}
        {times > 1 && <span class="count"> ({times} times)</span>}
      </p>
      {action && (
        <button
          type="button"
          class="button button-small"
          onClick={() => {
            dismissToast(id);
            action.run();
          }}
        >
          {action.label}
        </button>
      )}
      <button type="button" class="button button-quiet button-small" onClick={() => dismissToast(id)}>
        Dismiss
      </button>
    </div>
  );
}
