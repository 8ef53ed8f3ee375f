import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { expect, it } from "vitest";

it("keeps a process alive whose library left a failing promise, and says so", () => {
  const module = join(import.meta.dirname, "stray-failures.ts");
  const program = `
    const { surviveStrayFailures } = await import(${JSON.stringify(module)});
    const log = { warn: (text) => console.log("warn " + text) };
    const stop = surviveStrayFailures(log);
    void Promise.reject(new Error("socket hang up"));
    await new Promise((resolve) => setTimeout(resolve, 20));
    console.log("went on");
    stop();
    void Promise.reject(new Error("a defect"));
  `;
  const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect(stdout).toBe("warn a failure that nobody waited for: socket hang up\nwent on\n");
  expect(status).toBe(1);
});
