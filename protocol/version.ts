/** The version of the wire that `welcome.protocol` names. It changes when an older client would misread a newer server. */
export const PROTOCOL_VERSION = 1;
