import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { loadCertificates } from "./pem.ts";
import { temporaryFolder } from "./testing.ts";

let pem = "";

beforeAll(() => {
  pem = execFileSync(
    "openssl",
    [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:prime256v1",
      "-nodes",
      "-keyout",
      "/dev/null",
      "-days",
      "1",
      "-subj",
      "/CN=test",
    ],
    { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] },
  );
});

describe("certificates", () => {
  it("come inline, with \\n for line breaks, from a file, and several at once", async () => {
    const file = path.join(temporaryFolder(), "ca.pem");
    writeFileSync(file, `# two\n${pem}\n${pem}`);
    expect(await loadCertificates(pem)).toEqual({ text: pem });
    expect(await loadCertificates(pem.replaceAll("\n", String.raw`\n`))).toEqual({ text: pem });
    expect(await loadCertificates(file)).toEqual({ text: readFileSync(file, "utf8"), path: file });
  });

  it("are refused when damaged, without being quoted", async () => {
    const damaged = pem.replace(/^(.{30}).{8}/ms, "$1AAAAAAAA").replace(/\nM/, "\nA");
    const cases: [string, RegExp][] = [
      [damaged, /certificate 1 of 1 can't be read/],
      [`${pem}${damaged}`, /certificate 2 of 2 can't be read/],
      [pem.slice(0, pem.indexOf("-----END")), /cut off/],
      [`-----BEGIN PRIVATE KEY-----\nhunter2\n-----END PRIVATE KEY-----`, /holds no certificate/],
      ["/does/not/exist", /it does not exist/],
      ["/dev/null", /it is not a regular file/],
      ["-----BEGIN CERTIFICATE-----".repeat(30_000), /cut off/],
    ];
    for (const [value, message] of cases) {
      const failure = await loadCertificates(value).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).toBeInstanceOf(Error);
      expect((failure as Error).message).toMatch(message);
      expect((failure as Error).message).not.toMatch(/hunter2|MII/);
    }
  });
});
