/**
 * The listener in a Cloudflare Container: docs/deploy/container.md. A Worker of its own, so that a deployment of Rowcast does not
 * restart the listener.
 */
import { Container, getContainer } from "@cloudflare/containers";

interface Env {
  readonly LISTENER: DurableObjectNamespace<ListenerContainer>;
  /** As the role rowcast_listener, over the direct host. */
  readonly DATABASE_URL: string;
  readonly WORKER_URL: string;
  readonly INGEST_SECRET: string;
}

/** The process, with the object that stands for it. */
export class ListenerContainer extends Container<Env> {
  override defaultPort = 9464;
  override sleepAfter = "10m";
  override envVars = {
    DATABASE_URL: this.env.DATABASE_URL,
    WORKER_URL: this.env.WORKER_URL,
    INGEST_SECRET: this.env.INGEST_SECRET,
    METRICS_HOST: "0.0.0.0",
    METRICS_PORT: "9464",
  };

  /** Nobody sends it requests; that is no reason to stop it. */
  override onActivityExpired(): Promise<void> {
    this.renewActivityTimeout();
    return Promise.resolve();
  }
}

export default {
  /** Nothing else starts a container, and after a move or a fault nothing else starts it again. */
  async scheduled(_controller, env): Promise<void> {
    await getContainer(env.LISTENER, "listener").start();
  },
} satisfies ExportedHandler<Env>;
