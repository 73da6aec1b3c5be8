import { setTheme, type Theme, theme, THEMES } from "../../state/theme.ts";
import { HalfIcon, MoonIcon, SunIcon } from "./icons.tsx";

const WORDS: Readonly<Record<Theme, string>> = { system: "as the system", light: "light", dark: "dark" };

/** Goes round: as the system, light, dark. */
export function ThemeSwitch() {
  const now = theme.value;
  const next = THEMES[(THEMES.indexOf(now) + 1) % THEMES.length] ?? "system";
  return (
    <button
      type="button"
      class="icon-button"
      data-testid="theme"
      aria-label={`Colours: ${WORDS[now]}. Change to ${WORDS[next]}`}
      title={`Colours: ${WORDS[now]}`}
      onClick={() => setTheme(next)}
    >
      {now === "system" ? <HalfIcon /> : now === "light" ? <SunIcon /> : <MoonIcon />}
    </button>
  );
}
