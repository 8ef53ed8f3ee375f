import { defineConfig } from "vitest/config";

/** Only the recorded cases; `GO_GOLDEN_DIR` names another folder of them. */
export default defineConfig({ test: { include: ["test/golden/**/*.golden.test.ts"] } });
