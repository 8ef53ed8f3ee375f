import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { findHostKeys, knownHostsLine } from "./known-hosts.ts";
import { below, placeOf, remoteFolder } from "./paths.ts";

function key(type: string, seed: string): { readonly type: string; readonly bytes: Buffer; readonly base64: string } {
  const text = (value: string): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(value.length);
    return Buffer.concat([length, Buffer.from(value)]);
  };
  const bytes = Buffer.concat([text(type), text(seed.padEnd(32, "."))]);
  return { type, bytes, base64: bytes.toString("base64") };
}

const ED = key("ssh-ed25519", "a");
const RSA = key("ssh-rsa", "b");
const found = (text: string, host: string, port = 22): readonly string[] =>
  findHostKeys(text, host, port).accepted.map(({ type }) => type);

describe("known_hosts", () => {
  it.each([
    ["the plain name", `host.test ssh-ed25519 ${ED.base64} a comment`, "host.test", 22, 1],
    ["a name of several, in any case", `other,HOST.test,1.2.3.4 ssh-ed25519 ${ED.base64}`, "Host.Test", 22, 1],
    ["a wildcard", `*.test ssh-ed25519 ${ED.base64}`, "host.test", 22, 1],
    ["a wildcard with an exception", `*.test,!host.test ssh-ed25519 ${ED.base64}`, "host.test", 22, 0],
    ["a dot that is no wildcard", `host?test,hostxtest ssh-ed25519 ${ED.base64}`, "hosttest", 22, 0],
    ["a port", `[host.test]:2222 ssh-ed25519 ${ED.base64}`, "host.test", 2222, 1],
    ["another port", `[host.test]:2222 ssh-ed25519 ${ED.base64}`, "host.test", 22, 0],
    ["no port, for any port", `host.test ssh-ed25519 ${ED.base64}`, "host.test", 2222, 1],
    ["a longer name", `host.test.other ssh-ed25519 ${ED.base64}`, "host.test", 22, 0],
    ["an authority", `@cert-authority *.test ssh-ed25519 ${ED.base64}`, "host.test", 22, 0],
    ["a type that is not the key's", `host.test ssh-rsa ${ED.base64}`, "host.test", 22, 0],
    ["what is damaged", "host.test ssh-ed25519 !!!\nhost.test\n|1|x host", "host.test", 22, 0],
    ["a comment", `# host.test ssh-ed25519 ${ED.base64}`, "host.test", 22, 0],
  ])("finds by %s", (_what, text, host, port, count) => {
    expect(found(`\n${text}\r\n`, host, port)).toHaveLength(count);
  });

  it("finds hashed names, several types, and revoked keys", () => {
    const salt = Buffer.from("salt-salt-salt-salt-");
    const hash = createHmac("sha1", salt).update("[host.test]:2222").digest("base64");
    const text = `|1|${salt.toString("base64")}|${hash} ssh-ed25519 ${ED.base64}\n[host.test]:2222 ssh-rsa ${RSA.base64}\n@revoked * ssh-rsa ${RSA.base64}\n`;
    expect(found(text, "host.test", 2222)).toEqual(["ssh-ed25519", "ssh-rsa"]);
    expect(findHostKeys(text, "host.test", 2222).revoked).toHaveLength(1);
    expect(found(text, "other.test", 2222)).toEqual([]);
  });

  it("finds what was remembered", () => {
    expect(found(knownHostsLine("Host.test", 22, ED), "host.test")).toEqual(["ssh-ed25519"]);
    expect(found(knownHostsLine("host.test", 23, RSA), "host.test", 23)).toEqual(["ssh-rsa"]);
  });
});

describe("the folder on the server", () => {
  it.each([
    ["", "."],
    ["/", "/"],
    ["/a//b/", "/a/b"],
    ["a/b/", "a/b"],
    ["~", "."],
    ["~/a b", "./a b"],
    ["~other/a", "~other/a"],
    ["./a", "./a"],
  ])("of %j is %j", (path, folder) => {
    expect(remoteFolder(path)).toBe(folder);
  });

  it("holds archives, and records below it", () => {
    expect(placeOf("/", "archive", "a.tar")).toEqual({ folder: "/", base: "a.tar" });
    expect(below("/", "a.tar")).toBe("/a.tar");
    expect(placeOf(".", "record", "job/run.json")).toEqual({ folder: "./.lifeboat/job", base: "run.json" });
  });
});
