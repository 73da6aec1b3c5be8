import { cloudflareTest } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Those that measure the machine, or build the dashboard: nothing else may run beside them. */
const ALONE = [
  "test/browser/**/*.test.ts",
  "test/dev/start.test.ts",
  "test/deploy/{deploy,wrangler}.test.ts",
  "test/listener/silence.test.ts",
];

/** Whole stacks on a real Postgres, in order after what is quick. */
const INTEGRATION = {
  environment: "node",
  globalSetup: "./test/support/postgres.global.ts",
  testTimeout: 30_000,
  hookTimeout: 60_000,
} as const;

/** What `npm test` runs: three kinds of tests, each where its code lives. Much of a test is waiting, so two run at once. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "unit",
          include: ["{protocol,client,listener,cli,web,dev,bench}/**/*.test.ts"],
          environment: "node",
          maxWorkers: 2,
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            // Everything is played by workerd on this machine; the default would look for a Cloudflare account.
            remoteBindings: false,
            miniflare: {
              bindings: {
                INGEST_SECRET: "test-ingest-secret-0123456789",
                INGEST_SECRET_PREVIOUS: "previous-ingest-secret-0123456789",
                ALLOW_HUB_OVERRIDE: "true",
                // A developer's .dev.vars is read too: no test may reach the database it names.
                DATABASE_URL: "",
                ANONYMOUS: "write",
                RATE_LIMITS: "off",
                MAX_SOCKETS_PER_ADDRESS: "0",
                JWT_SECRET: "test-jwt-secret-0123456789-0123456789",
                JWT_SECRET_PREVIOUS: "previous-jwt-secret-0123456789-0123456789",
                // Small, so that a test can outrun it.
                HISTORY_MAX_CHANGES: "100",
                // Each delivery a frame, so that a test can count them.
                PUSH_EVERY_MS: "0",
              },
            },
          }),
        ],
        test: { name: "workers", include: ["worker/**/*.test.ts"], testTimeout: 15_000, maxWorkers: 2 },
      },
      {
        test: {
          ...INTEGRATION,
          name: "integration",
          include: ["test/**/*.test.ts"],
          exclude: ALONE,
          sequence: { groupOrder: 1 },
          maxWorkers: 2,
        },
      },
      {
        test: {
          ...INTEGRATION,
          name: "alone",
          include: ALONE,
          sequence: { groupOrder: 2 },
          maxWorkers: 1,
        },
      },
    ],
  },
});
