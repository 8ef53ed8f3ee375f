import { describe, expect, it } from "vitest";
import { configAsJson } from "./print.ts";
import { secretsOf } from "./serialize.ts";
import { loadFiles, short } from "./testing.ts";

const FIRST = "SSH_HOST_NAME=one.test\nSSH_USER=u\nSSH_PASSWORD=first-secret\nSSH_PORT=2022\n";
const SECOND = "SSH_2_HOST_NAME=two.test\nSSH_2_USER=v\nSSH_2_PASSWORD=second-secret\n";

describe("numbered sets of settings", () => {
  it("are read, redacted and shown like the plain ones, with their own defaults", async () => {
    const loaded = await loadFiles({ a: `${FIRST}${SECOND}` });
    expect(loaded.problems.filter(({ severity }) => severity !== "note").map(short)).toEqual([]);
    const [job] = loaded.jobs;
    expect(job && [...secretsOf(job)]).toEqual(expect.arrayContaining(["first-secret", "second-secret"]));
    expect([...loaded.secrets]).toContain("second-secret");
    const shown = new Map(configAsJson(loaded).jobs[0]?.settings.map(({ key, value }) => [key, value]));
    expect(shown.get("SSH_2_HOST_NAME")).toBe("two.test");
    expect(shown.get("SSH_2_PASSWORD")).toBe("***");
    expect([shown.get("SSH_PORT"), shown.get("SSH_2_PORT")]).toEqual(["2022", "22"]);
    expect(shown.has("SSH_3_HOST_NAME")).toBe(false);
  });

  it.each([
    ["SSH_2_HOST_NAME=h\n", "error SSH_2_HOST_NAME: needs SSH_2_USER as well"],
    ["SSH_3_PORT=70000\n", "error SSH_3_PORT: must be from 1 to 65535"],
    ["WEBDAV_2_URL=https://x.test\nWEBDAV_2_USERNAME=u\n", "error WEBDAV_2_USERNAME: needs WEBDAV_2_PASSWORD as well"],
    ["AWS_9_ENDPOINT=https://x.test\n", "AWS_9_ENDPOINT_PROTO"],
    ["SSH_2_HOST=h\n", "did you mean SSH_2_HOST_NAME?"],
    ["SSH_HOST_NAME_2=h\n", "did you mean SSH_2_HOST_NAME?"],
    ["AWS_S3_2_BUCKET_NAME=b\n", "did you mean AWS_2_S3_BUCKET_NAME?"],
    ["AWS2_SECRET_ACCESS_KEY_FILE=/x\n", "did you mean AWS_2_SECRET_ACCESS_KEY_FILE?"],
    ["WEBDAV_1_URL=https://x.test\n", "did you mean WEBDAV_URL?"],
  ])("%j gives %j", async (file, expected) => {
    const { problems } = await loadFiles({ a: file });
    const lines = problems.map(({ severity, key, message }) => `${severity} ${key}: ${message}`);
    expect(lines.join("\n")).toContain(expected);
  });

  it("must not name one place twice, in one job or in two", async () => {
    const same = "SSH_HOST_NAME=h\nSSH_USER=u\nSSH_2_HOST_NAME=h\nSSH_2_USER=u\n";
    const twice = await loadFiles({ a: same });
    expect(twice.problems.map(({ message }) => message).join("\n")).toContain("the same place");
    const two = await loadFiles({
      a: "SSH_HOST_NAME=h\nSSH_USER=u\nBACKUP_ARCHIVE=\n",
      b: "SSH_2_HOST_NAME=h\nSSH_2_USER=u\nBACKUP_ARCHIVE=\n",
    });
    expect(two.problems.map(({ message }) => message).join("\n")).toContain(
      "the jobs a, b store archives under the same names",
    );
  });
});
