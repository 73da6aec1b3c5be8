/** The Worker: the app, and the two classes of Durable Objects. */
import { app } from "./app.ts";

export { ChangeLog } from "./change-log/change-log.ts";
export { Hub } from "./hub/hub.ts";

export default app;
