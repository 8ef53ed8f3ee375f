import { describe, expect, it, vi } from "vitest";
import { parseMultistatus } from "./multistatus.ts";

const prop = (href: string, props: string, status = "HTTP/1.1 200 OK"): string =>
  `<D:response><D:href>${href}</D:href><D:propstat><D:prop>${props}</D:prop><D:status>${status}</D:status></D:propstat></D:response>`;
const multistatus = (...responses: readonly string[]): string =>
  `<?xml version="1.0" encoding="utf-8"?>\n<D:multistatus xmlns:D="DAV:">${responses.join("")}</D:multistatus>`;
const pathsOf = (text: string, requestPath = "/dav/site/"): readonly string[] | undefined =>
  parseMultistatus(text, requestPath)?.map(({ path }) => path.join("/"));

describe("a multistatus answer", () => {
  it("gives kind, size, time and free space", () => {
    const text = multistatus(
      prop(
        "/dav/",
        "<D:resourcetype><D:collection/></D:resourcetype><D:quota-available-bytes>1234</D:quota-available-bytes>",
      ),
      prop(
        "/dav/a.tar",
        "<D:resourcetype/><D:getcontentlength>42</D:getcontentlength><D:getlastmodified>Sun, 22 Nov 2026 21:30:00 GMT</D:getlastmodified>",
      ),
    );
    expect(parseMultistatus(text, "/dav/")).toEqual([
      { path: ["dav"], isCollection: true, sizeBytes: undefined, modifiedAt: undefined, freeBytes: 1234 },
      {
        path: ["dav", "a.tar"],
        isCollection: false,
        sizeBytes: 42,
        modifiedAt: Date.UTC(2026, 10, 22, 21, 30),
        freeBytes: undefined,
      },
    ]);
  });

  it("may use any prefix or none, attributes, comments, CDATA and white space", () => {
    const text = `\uFEFF<!DOCTYPE x><!-- c --><multistatus xmlns="DAV:" lang='e>n'>
      <response><href><![CDATA[/dav/a&b.tar]]></href>
      <propstat><status>HTTP/1.1 200 OK</status><prop><lp1:getcontentlength xmlns:lp1="DAV:">
      7 </lp1:getcontentlength></prop></propstat></response></multistatus>`;
    expect(parseMultistatus(text.slice(1), "/dav/")?.[0]).toMatchObject({ path: ["dav", "a&b.tar"], sizeBytes: 7 });
  });

  it("may say what it has not before what it has", () => {
    const text = `<d:multistatus xmlns:d="DAV:"><d:response><d:href>/x</d:href>
      <d:propstat><d:prop><d:quota-available-bytes/><d:getcontentlength>1</d:getcontentlength></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>
      <d:propstat><d:prop><d:getcontentlength>9</d:getcontentlength></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>`;
    expect(parseMultistatus(text, "/")?.[0]?.sizeBytes).toBe(9);
  });

  it.each([
    "Sun, 22 Nov 2026 21:30:00 GMT",
    "Sunday, 22-Nov-26 21:30:00 GMT",
    "Sun Nov 22 21:30:00 2026",
    "Sun, 22 Nov 2026 23:30:00 +0200",
    "2026-11-22T21:30:00",
    "2026-11-22T21:30:00Z",
  ])("understands the time %s, wherever this program runs", (time) => {
    vi.stubEnv("TZ", "Pacific/Auckland");
    const text = multistatus(prop("/a.tar", `<D:getlastmodified>${time}</D:getlastmodified>`));
    expect(parseMultistatus(text, "/")?.[0]?.modifiedAt).toBe(Date.UTC(2026, 10, 22, 21, 30));
  });

  it.each([
    ["/dav/site/per%2520cent%20%2B%23.tar", "dav/site/per%20cent +#.tar"],
    ["https://other.test:8443/dav/site/a.tar", "dav/site/a.tar"],
    ["a.tar", "dav/site/a.tar"],
    ["./a.tar", "dav/site/a.tar"],
    ["/dav//site/a.tar/", "dav/site/a.tar"],
    ["/dav/site/a%26b&amp;c&#38;d&#x26;e.tar", "dav/site/a&b&c&d&e.tar"],
    ["/dav/site/%C3%BC%E5%82%99.tar", "dav/site/ü備.tar"],
    ["/dav/site/back%5Cslash%0A.tar", "dav/site/back\\slash\n.tar"],
    ["\n  /dav/site/a.tar  \n", "dav/site/a.tar"],
  ])("decodes the address %j", (href, path) => {
    expect(pathsOf(multistatus(prop(href, "")))).toEqual([path]);
  });

  it("leaves out what is no text and what failed, and takes an empty one", () => {
    expect(pathsOf(multistatus(prop("/dav/%FF.tar", ""), prop("/dav/%zz.tar", ""), prop("", "")))).toEqual([]);
    expect(
      pathsOf(
        multistatus("<D:response><D:href>/gone</D:href><D:status>HTTP/1.1 404 Not Found</D:status></D:response>"),
      ),
    ).toEqual([]);
    expect(pathsOf(multistatus())).toEqual([]);
    expect(pathsOf('<D:multistatus xmlns:D="DAV:"/>')).toEqual([]);
  });

  it.each([
    "",
    "<html><body>log in</body></html>",
    "not xml",
    "<D:multistatus><D:response>",
    "<a></b>",
    "<multistatus></multistatus><multistatus/>",
    "<a>".repeat(100),
  ])("is told from %j", (text) => {
    expect(parseMultistatus(text, "/")).toBeUndefined();
  });

  it("expands no entities", () => {
    const bomb =
      '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><multistatus><response><href>/&b;</href></response></multistatus>';
    expect(pathsOf(bomb)).toEqual(["&b;"]);
  });

  it("of 20,000 resources is read quickly enough to be no burden", () => {
    const many = multistatus(
      ...Array.from({ length: 20_000 }, (_, at) => prop(`/d/${at}`, "<D:getcontentlength>1</D:getcontentlength>")),
    );
    expect(parseMultistatus(many, "/d/")).toHaveLength(20_000);
  });
});
