import { defineConfig } from "vitest/config";

/** What needs real server programs: `npm run test:servers`. `scripts/test-servers.sh` installs them. */
export default defineConfig({
  test: {
    include: ["src/**/*.server.test.ts", "test/**/*.server.test.ts"],
    exclude: ["test/container/**", "node_modules/**"],
    pool: "forks",
    // Most of the time is waiting: for timeouts, pauses between attempts, slow lines.
    maxWorkers: 4,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    restoreMocks: true,
    unstubEnvs: true,
  },
});
