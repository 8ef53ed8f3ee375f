import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { RunStatus } from "../contracts/run.ts";
import { decideRetention, isGoodArchive, type RetentionArchive, type RetentionPolicy } from "./decide.ts";

interface Case {
  readonly title: string;
  readonly now: string;
  readonly policy: Partial<RetentionPolicy>;
  readonly archives: readonly {
    readonly name: string;
    readonly at: string;
    readonly size?: number;
    readonly record?: { readonly status: RunStatus | "running"; readonly size: number; readonly job: string };
  }[];
  readonly keep: readonly string[];
  readonly reasons?: Readonly<Record<string, string>>;
}

const cases = JSON.parse(readFileSync(new URL("decide.cases.json", import.meta.url), "utf8")) as Case[];

/** Names of the job `site` begin with an `s`. */
function policyOf(more: Partial<RetentionPolicy>): RetentionPolicy {
  return {
    retentionDays: -1,
    leewayMs: 0,
    prefix: undefined,
    keepLast: 0,
    keepDaily: 0,
    keepWeekly: 0,
    keepMonthly: 0,
    keepYearly: 0,
    keepMin: 1,
    zone: "UTC",
    job: "site",
    matchesPattern: (name) => name.startsWith("s"),
    ...more,
  };
}

describe("decideRetention, case by case", () => {
  it.each(cases.map((one) => [one.title, one] as const))("%s", (_, { now, policy, archives, keep, reasons }) => {
    const decisions = decideRetention(
      archives.map(({ name, at, size = 100, record }) => ({
        name,
        sizeBytes: size,
        storedAt: Date.parse(at),
        ...(record === undefined ? {} : { record: { status: record.status, sizeBytes: record.size, job: record.job } }),
      })),
      policyOf(policy),
      Date.parse(now),
    );
    const kept = decisions.filter((decision) => decision.keep).map(({ name }) => name);
    expect(kept.toSorted()).toEqual([...keep].toSorted());
    expect(decisions).toHaveLength(archives.length);
    for (const [name, reason] of Object.entries(reasons ?? {})) {
      expect(decisions.find((decision) => decision.name === name)?.reason).toBe(reason);
    }
    for (const { reason } of decisions) expect(reason).not.toBe("");
  });

  it("has enough of them, each with its own title", () => {
    expect(cases.length).toBeGreaterThanOrEqual(60);
    expect(new Set(cases.map(({ title }) => title)).size).toBe(cases.length);
  });
});

describe("decideRetention, whatever it is given", () => {
  const NOW = Date.parse("2026-03-20T12:00:00Z");
  const KEEP_RULES = ["keepLast", "keepDaily", "keepWeekly", "keepMonthly", "keepYearly"] as const;

  let seed = 2026;
  const random = (below: number): number => {
    seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
    return Math.floor((seed / 2_147_483_648) * below);
  };
  const pick = <T>(...list: readonly [T, ...T[]]): T => list[random(list.length)] ?? list[0];

  const randomArchives = (): RetentionArchive[] =>
    Array.from({ length: random(30) }, (_, index) => {
      const sizeBytes = pick(0, 100, 100, 100, 200);
      const record = {
        status: pick<RunStatus | "running">(
          "success",
          "success",
          "success",
          "partial",
          "failed",
          "interrupted",
          "running",
        ),
        sizeBytes: pick(100, 100, 200),
        job: pick("site", "site", "shop"),
      };
      return {
        name: `${pick("s", "s", "s-a", "other")}${index}`,
        sizeBytes,
        // Some at the same moment, some close to a day's limit, some years apart.
        storedAt: NOW - random(pick(2, 10, 60, 1500)) * 86_400_000 - pick(0, 0, 43_200_000, random(86_400_000)),
        ...(random(3) === 0 ? { record } : {}),
      };
    });
  const randomPolicy = (): RetentionPolicy =>
    policyOf({
      retentionDays: pick(-1, -1, 0, 1, 7, 400),
      leewayMs: pick(0, 60_000, -60_000, 86_400_000),
      prefix: pick(undefined, undefined, "", "s-a"),
      ...Object.fromEntries(KEEP_RULES.map((rule) => [rule, pick(0, 0, 0, 1, 3, 20)])),
      keepMin: pick(0, 1, 1, 3, 50),
      zone: pick("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati"),
    });
  const isCandidate = (archive: RetentionArchive, policy: RetentionPolicy): boolean =>
    (archive.record === undefined ? policy.matchesPattern(archive.name) : archive.record.job === policy.job) &&
    archive.name.startsWith(policy.prefix ?? "");
  const keptOf = (archives: readonly RetentionArchive[], policy: RetentionPolicy): Set<string> =>
    new Set(
      decideRetention(archives, policy, NOW)
        .filter(({ keep }) => keep)
        .map(({ name }) => name),
    );

  it("leaves others' archives, the minimum, and never nothing", () => {
    for (let round = 0; round < 3000; round += 1) {
      const archives = randomArchives();
      const policy = randomPolicy();
      const kept = keptOf(archives, policy);
      const candidates = archives.filter((archive) => isCandidate(archive, policy));
      for (const archive of archives) if (!candidates.includes(archive)) expect(kept).toContain(archive.name);
      const good = candidates.filter(isGoodArchive);
      const keptGood = good.filter(({ name }) => kept.has(name));
      expect(keptGood.length).toBeGreaterThanOrEqual(Math.min(policy.keepMin, good.length));
      if (candidates.length > 0) expect(candidates.some(({ name }) => kept.has(name))).toBe(true);
      if (good.length > 0) expect(kept).toContain(keptGood[0]?.name);
    }
  });

  it("does not depend on the order of the list", () => {
    for (let round = 0; round < 500; round += 1) {
      const archives = randomArchives();
      const policy = randomPolicy();
      const decisions = decideRetention(archives, policy, NOW);
      const shuffled = archives
        .map((archive) => ({ archive, order: random(1000) }))
        .toSorted((a, b) => a.order - b.order);
      expect(
        decideRetention(
          shuffled.map(({ archive }) => archive),
          policy,
          NOW,
        ),
      ).toEqual(decisions);
    }
  });

  it("keeps at least as many when a rule asks for more, and the same ones unless the minimum fills up", () => {
    for (let round = 0; round < 3000; round += 1) {
      const archives = randomArchives();
      const policy = randomPolicy();
      const rule = pick<(typeof KEEP_RULES)[number] | "keepMin">("keepMin", ...KEEP_RULES);
      const isFirst = rule !== "keepMin" && policy.retentionDays < 0 && KEEP_RULES.every((one) => policy[one] === 0);
      if (isFirst) continue; // The first rule of all turns retention on.
      const kept = keptOf(archives, policy);
      const keptMore = keptOf(archives, { ...policy, [rule]: policy[rule] + 1 + random(3) });
      expect(keptMore.size).toBeGreaterThanOrEqual(kept.size);
      if (policy.keepMin <= 1 && archives.some(isGoodArchive)) {
        const lost = archives.filter((archive) => kept.has(archive.name) && !keptMore.has(archive.name));
        expect(lost.filter(isGoodArchive)).toEqual([]);
      }
    }
  });

  it("keeps what each rule alone would keep", () => {
    for (let round = 0; round < 1000; round += 1) {
      const archives = randomArchives();
      const policy = randomPolicy();
      const all = keptOf(archives, { ...policy, keepMin: 1 });
      for (const rule of KEEP_RULES.filter((one) => policy[one] > 0)) {
        const off = Object.fromEntries(KEEP_RULES.map((one) => [one, 0]));
        const alone = { ...policy, ...off, [rule]: policy[rule], retentionDays: -1, keepMin: 1 };
        const missing = archives.filter(({ name }) => keptOf(archives, alone).has(name) && !all.has(name));
        expect(missing).toEqual([]);
      }
    }
  });

  it("agrees with a plain reading of the rules, by another calendar: the newest of each of the last N periods that have one", () => {
    const keyOf = {
      keepDaily: (at: Temporal.ZonedDateTime) => at.toPlainDate().toString(),
      keepWeekly: (at: Temporal.ZonedDateTime) => `${at.yearOfWeek}/${String(at.weekOfYear).padStart(2, "0")}`,
      keepMonthly: (at: Temporal.ZonedDateTime) => at.toPlainDate().toPlainYearMonth().toString(),
      keepYearly: (at: Temporal.ZonedDateTime) => String(at.year),
    };
    for (let round = 0; round < 400; round += 1) {
      const spread = pick(5, 100, 2000);
      const times = new Set(Array.from({ length: 40 }, () => NOW - random(spread * 86_400) * 1000));
      const archives = [...times].map((storedAt) => ({ name: `s${storedAt}`, sizeBytes: 1, storedAt }));
      const rule = pick("keepDaily", "keepWeekly", "keepMonthly", "keepYearly");
      const zone = pick("UTC", "Europe/Berlin", "America/New_York", "Pacific/Kiritimati", "America/St_Johns");
      const count = 1 + random(10);
      const newest = new Map<string, RetentionArchive>();
      for (const archive of archives.toSorted((a, b) => a.storedAt - b.storedAt)) {
        newest.set(
          keyOf[rule](Temporal.Instant.fromEpochMilliseconds(archive.storedAt).toZonedDateTimeISO(zone)),
          archive,
        );
      }
      const expected = [...newest].toSorted(([a], [b]) => (a < b ? 1 : -1)).slice(0, count);
      const kept = keptOf(archives, policyOf({ [rule]: count, zone }));
      expect([...kept].toSorted()).toEqual(expected.map(([, { name }]) => name).toSorted());
    }
  });

  it("with KEEP_LAST of N and good archives only, exactly the N newest stay", () => {
    for (let count = 1; count < 30; count += 1) {
      const archives = Array.from({ length: 20 }, (_, index) => ({
        name: `s${index}`,
        sizeBytes: 1,
        storedAt: NOW - index * 3_600_000,
      }));
      const kept = keptOf(archives, policyOf({ keepLast: count }));
      expect([...kept]).toEqual(archives.slice(0, count).map(({ name }) => name));
    }
  });

  it("decides over many archives in a moment", () => {
    const archives = Array.from({ length: 50_000 }, (_, index) => ({
      name: `s${index}`,
      sizeBytes: 1,
      storedAt: NOW - index * 3_600_000,
    }));
    const start = performance.now();
    const kept = keptOf(
      archives,
      policyOf({ keepDaily: 7, keepWeekly: 4, keepMonthly: 12, keepYearly: 3, zone: "Europe/Berlin" }),
    );
    expect(kept.size).toBeLessThan(27);
    expect(performance.now() - start).toBeLessThan(10_000);
  });
});
