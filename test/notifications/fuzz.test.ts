import { globSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { parseRoutes } from "../../src/notifications/routes.ts";
import type { Outcome } from "../../src/notifications/service.ts";
import { more, recorded } from "./recorded.ts";
import { createRandom } from "../fuzz/random.ts";

const PIECES = [
  "%",
  "%zz",
  "%00",
  "/",
  "//",
  "?",
  "#",
  "@",
  ":",
  ",",
  ";",
  "&",
  "=",
  "+",
  " ",
  "[",
  "]",
  "..",
  "\u0000",
  "\n",
  "é",
  "🎉",
  "\ud800",
  "65536",
  "hunter2hunter2",
];

/** Recorded URLs with a few random pieces put in, cut out and doubled. */
function* hostileUrls(count: number): Generator<string> {
  const random = createRandom(20_261_125);
  const seeds = [...recorded.http, ...recorded.smtp, ...more].map(({ url }) => url);
  for (let made = 0; made < count; made += 1) {
    let url = random.pick(seeds);
    for (let changes = random.below(4); changes >= 0; changes -= 1) {
      const at = random.below(url.length + 1);
      const cut = random.below(2) === 0 ? random.below(8) : 0;
      url = url.slice(0, at) + random.pick(PIECES) + url.slice(at + cut);
    }
    yield url;
  }
}

describe("hostile URLs", () => {
  it("are used or refused with words, never with a crash or with what they hold", () => {
    let used = 0;
    for (const url of hostileUrls(20_000)) {
      const { routes, problems } = parseRoutes(url);
      expect(problems.join()).not.toContain("hunter2");
      used += routes.length;
      for (const { service } of routes) {
        if (service.kind !== "http") continue;
        try {
          const requests = service.requests({ title: "t\ud800", body: "b\u0000\ud800", level: "error" });
          const steps = requests[Symbol.iterator]();
          const good: Outcome = {
            isOk: true,
            answer: {
              status: 200,
              header: () => undefined,
              text: '{"flows":[{"type":"m.login.password"}],"access_token":"t","room_id":"!r:h","joined_rooms":["!r:h"]}',
            },
          };
          for (let step = steps.next(good); step.done !== true; step = steps.next(good)) {
            expect(URL.canParse(step.value.url), url).toBe(true);
            expect(new URL(step.value.url).hostname, url).not.toBe("");
          }
        } catch (error) {
          expect(`${url}: ${String(error)}`).toBe("no error");
        }
      }
    }
    expect(used).toBeGreaterThan(1000);
  });
});

describe("what the check of the configuration loads", () => {
  it("is no library", () => {
    const root = path.join(import.meta.dirname, "../../src/notifications");
    const files = globSync("{cut,job-routes,requests,routes,service,url/*,services/*}.ts", { cwd: root }).filter(
      (file) => !file.endsWith("-delivery.ts"),
    );
    expect(files.length).toBeGreaterThan(30);
    const imports = files.flatMap((file) =>
      [...readFileSync(path.join(root, file), "utf8").matchAll(/^import (?!type ).* from "([^"]+)"/gm)].map(
        ([, from = ""]) => from,
      ),
    );
    expect(imports.filter((from) => !from.startsWith(".") && !from.startsWith("node:"))).toEqual([]);
  });
});
