import { defineConfig } from "vitest/config";

/** The image on a real engine: `npm run test:container`. Needs root and Docker; `.ci/run` installs what it uses. */
export default defineConfig({
  test: {
    include: ["test/container/**/*.test.ts"],
    globalSetup: ["test/container/engine.ts"],
    pool: "forks",
    // One engine, two cores: files run one after another.
    fileParallelism: false,
    testTimeout: 180_000,
    hookTimeout: 300_000,
    teardownTimeout: 60_000,
  },
});
