import { expect, it } from "vitest";
import { valuesFrom } from "../../../test/servers/job-values.ts";
import { sshOptionsOf } from "./options.ts";

const options = async (host: string) =>
  sshOptionsOf(await valuesFrom({ SSH_HOST_NAME: host, SSH_USER: "backup", SSH_PASSWORD: "x" }), {});

it.each(["nas", "nas.example.com", "192.0.2.7", "2001:db8::7"])("%s is a good host", async (host) => {
  expect((await options(host)).host).toBe(host);
});

it("an IPv6 address may stand in brackets", async () => {
  expect((await options("[2001:db8::7]")).host).toBe("2001:db8::7");
});

it.each([
  ["nas:22", "SSH_PORT"],
  ["backup@nas", "SSH_USER"],
  ["nas/backups", "alone"],
  ["my nas", "alone"],
])("%s is none, and what to do is said", async (host, what) => {
  await expect(options(host)).rejects.toThrow(what);
});
