/**
 * The version of the wire that `welcome.protocol` and `/health` name. It changes when an older client would misread a newer
 * server; what is merely added does not change it. docs/architecture.md, "Two versions at once"; version.test.ts watches.
 */
export const PROTOCOL_VERSION = 1;
