import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { loadConfig } from "./load.ts";
import { PLAIN_PARTS } from "./parts.ts";
import { configAsJson, printConfig } from "./print.ts";
import { maskUserInfo } from "./show.ts";
import { configFolder, temporaryFolder } from "./testing.ts";

it("shows every setting of each job with its source, and no secret", async () => {
  const secret = path.join(temporaryFolder(), "secret");
  writeFileSync(secret, "hunter2\n");
  const folder = configFolder({
    "site.env": `\nBACKUP_RETENTION_DAYS=7\nWEBDAV_PASSWORD_FILE=${secret}\nSSH_PASSWORD=hunter3\nBACKUP_PRUNING_PREFIX="a\\nb"\n`,
    broken: "LOCK_TIMEOUT=x",
  });
  const environment = {
    BACKUP_ARCHIVE: "",
    DOCKER_HOST: "tcp://user:hunter4@proxy:2375",
    STATE_DIR: "/state",
    AWS_IAM_ROLE_ENDPOINT: "http://u:hunter@5@x.test/",
  };
  const loaded = await loadConfig({ environment, configDir: folder });
  const text = printConfig(loaded);
  const site = path.join(folder, "site.env");
  for (const line of [
    `# configuration: ${folder}`,
    `# job site (${site})`,
    `BACKUP_RETENTION_DAYS=7  # ${site}:2`,
    `WEBDAV_PASSWORD=***  # WEBDAV_PASSWORD_FILE: ${secret}`,
    `SSH_PASSWORD=***  # ${site}:4`,
    String.raw`BACKUP_PRUNING_PREFIX=a\nb  # ${site}:5`,
    "BACKUP_ARCHIVE=  # environment",
    "DOCKER_HOST=tcp://***@proxy:2375  # environment",
    "AWS_IAM_ROLE_ENDPOINT=http://***@x.test/  # environment",
    "STATE_DIR=/state  # environment",
    "BACKUP_CRON_EXPRESSION=@daily  # default",
    "AWS_S3_BUCKET_NAME is not set",
    `# job broken (${path.join(folder, "broken")}) is broken and does not run`,
  ]) {
    expect(text.split("\n")).toContain(line);
  }
  const json = configAsJson(loaded, ["site"]);
  expect(json).toMatchObject({ source: "folder", folder, broken: [], jobs: [{ job: "site", file: site }] });
  expect(json.jobs[0]?.settings).toHaveLength(PLAIN_PARTS.flatMap((part) => part.settings).length);
  expect(json.jobs[0]?.settings).toContainEqual({ key: "SSH_PASSWORD", value: "***", source: `${site}:4` });
  expect(json.jobs[0]?.settings).toContainEqual({ key: "AWS_S3_BUCKET_NAME", value: null, source: "default" });
  expect(`${text}${JSON.stringify(json)}`).not.toContain("hunter");
  expect([...loaded.secrets]).toEqual(expect.arrayContaining(["hunter2", "hunter3", "hunter4", "hunter@5"]));
});

it("masks user info whatever is in it, quickly", () => {
  expect(maskUserInfo("a https://u:p@ss@h/x,http://h/p@q ftp://t@h")).toBe(
    "a https://***@h/x,http://h/p@q ftp://***@h",
  );
  const startedAt = performance.now();
  maskUserInfo("a".repeat(1_000_000));
  maskUserInfo("a://".repeat(250_000));
  expect(performance.now() - startedAt).toBeLessThan(5_000);
});
