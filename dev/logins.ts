/** Addresses of one database, for who uses it. */
export interface Logins {
  /** For the Worker's DATABASE_URL. */
  readonly api: string;
  /** For the listener's DATABASE_URL. */
  readonly listener: string;
}
