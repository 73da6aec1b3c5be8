/** The drawings of the shell: 16 × 16, in the colour of the text, and never alone in saying something. */
import type { ComponentChildren } from "preact";

export function Icon({ children }: { readonly children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {children}
    </svg>
  );
}

export const SunIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.8" />
    <path d="M8 1.5v1.6M8 12.9v1.6M1.5 8h1.6M12.9 8h1.6M3.4 3.4l1.1 1.1M11.5 11.5l1.1 1.1M3.4 12.6l1.1-1.1M11.5 4.5l1.1-1.1" />
  </Icon>
);

export const MoonIcon = () => (
  <Icon>
    <path d="M13.2 9.6A5.6 5.6 0 0 1 6.4 2.8a5.6 5.6 0 1 0 6.8 6.8Z" />
  </Icon>
);

export const HalfIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="5.5" />
    <path class="icon-filled" d="M8 2.5a5.5 5.5 0 0 1 0 11Z" />
  </Icon>
);

export const HelpIcon = () => (
  <Icon>
    <circle cx="8" cy="8" r="6" />
    <path d="M6.2 6.3a1.8 1.8 0 1 1 2.6 1.6c-.6.3-.8.6-.8 1.2M8 11.3v.1" />
  </Icon>
);

export const BellIcon = () => (
  <Icon>
    <path d="M4 11V7a4 4 0 0 1 8 0v4l1 1.2H3zM6.7 14h2.6" />
  </Icon>
);

export const BellOffIcon = () => (
  <Icon>
    <path d="M4 11V7c0-.6.1-1.1.3-1.6M6.4 3.3A4 4 0 0 1 12 7v2.5M12.2 12.2H3L4 11M6.7 14h2.6M2 2l12 12" />
  </Icon>
);

export const CloseIcon = () => (
  <Icon>
    <path d="m4 4 8 8M12 4l-8 8" />
  </Icon>
);
