import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createAuth } from "./auth.ts";
import { createDigest, parseChallenges } from "./digest.ts";

/** RFC 7616, 3.9.1. */
const REALM =
  'realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"';
const CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

describe("digest", () => {
  it.each([
    ["MD5", "8ca523f5e9506fed4657c9700eebdbec"],
    ["SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"],
  ])("answers as the RFC's example does: %s", (algorithm, response) => {
    const digest = createDigest(
      parseChallenges(`Digest ${REALM}, algorithm=${algorithm}`),
      "Mufasa",
      "Circle of Life",
      () => CNONCE,
    );
    const header = digest?.authorize("GET", "/dir/index.html") ?? "";
    expect(header).toContain(`response="${response}"`);
    expect(header).toContain("nc=00000001");
    expect(header).toContain('uri="/dir/index.html"');
    expect(digest?.authorize("GET", "/dir/index.html")).toContain("nc=00000002");
  });

  it("answers the older form without qop (RFC 2069's successor, 3.5)", () => {
    const challenge = 'Digest realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"';
    const header = createDigest(parseChallenges(challenge), "Mufasa", "Circle Of Life")?.authorize(
      "GET",
      "/dir/index.html",
    );
    expect(header).toContain('response="670fd8c2df070c60b045671b8b24ff02"');
    expect(header).not.toContain("qop");
  });

  it("takes the strongest of several, and none that it can't answer", () => {
    const both = parseChallenges(`Digest ${REALM}, algorithm=MD5, Digest ${REALM}, algorithm=SHA-256`);
    expect(createDigest(both, "u", "p")?.authorize("GET", "/")).toContain("algorithm=SHA-256");
    expect(createDigest(parseChallenges('Digest realm="r", nonce="n", qop="auth-int"'), "u", "p")).toBeUndefined();
    expect(createDigest(parseChallenges('Digest realm="r", nonce="n", algorithm=FOO'), "u", "p")).toBeUndefined();
  });

  it("quotes names and realms, and sends them as UTF-8", () => {
    const header = createDigest(parseChallenges('Digest realm="a \\"b\\" c", nonce="n"'), 'ü"x', "p")?.authorize(
      "PUT",
      "/a",
    );
    expect(header).toContain(String.raw`realm="a \"b\" c"`);
    expect(Buffer.from(header ?? "", "latin1").toString("utf8")).toContain(String.raw`username="ü\"x"`);
  });
});

it("takes a realm as the bytes that the server sent", () => {
  const realm = Buffer.from("Büro").toString("latin1");
  const header = createDigest(parseChallenges(`Digest realm="${realm}", nonce="n"`), "u", "p")?.authorize("GET", "/");
  expect(header).toContain(`realm="${realm}"`);
  const md5 = (text: string): string => createHash("md5").update(text).digest("hex");
  expect(header).toContain(`response="${md5(`${md5("u:Büro:p")}:n:${md5("GET:/")}`)}"`);
});

describe("challenges", () => {
  it("are told apart in one header", () => {
    expect(
      parseChallenges(
        'Negotiate, NTLM TlRMTVNTUAAB, Basic realm="a, b=c", charset="UTF-8", Digest realm=r,nonce="x=="',
      ).map(({ scheme }) => scheme),
    ).toEqual(expect.arrayContaining(["negotiate", "basic", "digest"]));
    expect(parseChallenges('basic REALM="x"')).toEqual([{ scheme: "basic", parameters: { realm: "x" } }]);
    expect(parseChallenges("")).toEqual([]);
    expect(parseChallenges("=,;;")).toEqual([]);
  });
});

describe("the login", () => {
  const login = { user: "u", password: "p" };
  const digest = 'Digest realm="r", nonce="one", qop="auth"';

  it("sends no password in the clear to a server that has not asked for it", () => {
    const auth = createAuth(login, false);
    expect(auth.authorize("GET", "/")).toBeUndefined();
    expect(auth.learn(401, `Basic realm="r", ${digest}`, undefined)).toBe(true);
    expect(auth.authorize("GET", "/")).toMatch(/^Digest /);
  });

  it("sends it at once over TLS, and changes to Digest when asked", () => {
    const auth = createAuth(login, true);
    const sent = auth.authorize("GET", "/");
    expect(sent).toBe(`Basic ${Buffer.from("u:p").toString("base64")}`);
    expect(auth.learn(401, digest, sent)).toBe(true);
    expect(auth.authorize("GET", "/")).toMatch(/^Digest /);
  });

  it("knows a wrong password from a nonce that is too old", () => {
    const auth = createAuth(login, false);
    expect(auth.learn(401, digest, undefined)).toBe(true);
    const first = auth.authorize("GET", "/");
    expect(auth.learn(401, 'Digest realm="r", nonce="two", qop="auth"', first)).toBe(false);
    expect(auth.learn(401, 'Digest realm="r", nonce="two", qop="auth", stale=TRUE', first)).toBe(true);
    auth.authorize("GET", "/");
    const second = auth.authorize("GET", "/");
    expect(second).toContain("nc=00000002");
    expect(auth.learn(401, 'Digest realm="r", nonce="three", qop="auth"', second)).toBe(true);
    const oldest = createAuth(login, false);
    expect(oldest.learn(401, 'Digest realm="r", nonce="one"', undefined)).toBe(true);
    expect(oldest.learn(401, 'Digest realm="r", nonce="two"', oldest.authorize("GET", "/"))).toBe(true);
    const again = oldest.authorize("GET", "/");
    expect(oldest.learn(401, 'Digest realm="r", nonce="two"', again)).toBe(false);
    const basic = createAuth(login, true);
    expect(basic.learn(401, 'Basic realm="r"', basic.authorize("GET", "/"))).toBe(false);
  });

  it("is a token where there is one, and nothing where there is none", () => {
    expect(createAuth({ bearerToken: "t" }, false).authorize("GET", "/")).toBe("Bearer t");
    expect(createAuth({}, true).authorize("GET", "/")).toBeUndefined();
    expect(createAuth({}, true).learn(401, digest, undefined)).toBe(false);
  });
});
