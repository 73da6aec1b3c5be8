/** Whether a terminal wraps the line with the cursor anew when its width changes. Nothing can be asked; some say who they are. */
const THEY_DO = ["TMUX", "VTE_VERSION", "KITTY_WINDOW_ID", "KONSOLE_VERSION", "ALACRITTY_WINDOW_ID"];
const PROGRAMS_THAT_DO = ["iTerm.app", "Apple_Terminal", "WezTerm", "ghostty"];

/** xterm, and the terminals of editors and web pages, leave it as it is: so do all that are not known. */
export function wrapsAnew(env: Readonly<Record<string, string | undefined>>): boolean {
  return THEY_DO.some((name) => env[name]) || PROGRAMS_THAT_DO.includes(env["TERM_PROGRAM"] ?? "");
}
