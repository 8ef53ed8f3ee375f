import { readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { Sandbox } from "./sandbox.ts";

let box: Sandbox;
beforeEach(() => {
  box = new Sandbox();
});
afterEach(() => box.dispose());

const DEAD = ["SSH_2_HOST_NAME=127.0.0.1", "SSH_2_PORT=1", "SSH_2_USER=u", "SSH_2_PASSWORD=very-secret"];

it("check goes through each destination on its own, and names the setting to look at", () => {
  box.job("site.env", ...DEAD);
  const { status, stdout } = box.run(["check"]);
  expect(status).toBe(1);
  expect(stdout).toMatch(
    /ok {7}site: local:.*: 0 archives, .* free, authenticate .*, write .*, read .*, list .*, remove /,
  );
  expect(stdout).toMatch(
    /error {4}site: ssh:u@127\.0\.0\.1:1: connect failed: can't connect to 127\.0\.0\.1:1: .*SSH_2_HOST_NAME/,
  );
  const findings = box.json(["check"]) as { destination?: string; steps?: { step: string; outcome: string }[] }[];
  expect(findings.find(({ destination }) => destination?.startsWith("ssh:"))?.steps).toMatchObject([
    { step: "connect", outcome: "failed" },
  ]);
  expect(readdirSync(join(box.archive, ".lifeboat"))).toEqual([]);
  expect(stdout).not.toContain("very-secret");
});
