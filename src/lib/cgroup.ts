import { readFileSync } from "node:fs";

/** What the control group allows this process; undefined = no limit found. */
export interface CgroupLimits {
  /** CPUs, may be a fraction: 0.35. */
  readonly cpus: number | undefined;
  readonly memoryBytes: number | undefined;
}

/** Version 1 writes "no limit" as a number just below 2^63. */
const NO_LIMIT_BYTES = 2 ** 60;

/**
 * Reads the tightest limits of this process's control group and its parents, version 2 or 1, as Docker, podman and
 * Kubernetes mount them. `root` replaces `/` in tests. Never throws: what can't be read is no limit.
 */
export function readCgroupLimits(root = "/"): CgroupLimits {
  const base = root.endsWith("/") ? root : `${root}/`;
  const mount = `${base}sys/fs/cgroup`;
  const cpus: number[] = [];
  const memory: number[] = [];
  for (const { controllers, path } of ownGroups(readText(`${base}proc/self/cgroup`) ?? "")) {
    for (const folder of upwards(path)) {
      if (controllers === "") {
        // Hybrid systems mount version 2 one level below.
        for (const top of [mount, `${mount}/unified`]) {
          add(cpus, quotaOfCpuMax(readText(`${top}${folder}/cpu.max`)));
          add(memory, positive(readText(`${top}${folder}/memory.max`)));
        }
        continue;
      }
      const names = controllers.split(",");
      if (names.includes("cpu")) {
        for (const name of new Set([controllers, "cpu"])) {
          const top = `${mount}/${name}${folder}`;
          add(cpus, ratio(readText(`${top}/cpu.cfs_quota_us`), readText(`${top}/cpu.cfs_period_us`)));
        }
      }
      if (names.includes("memory")) add(memory, positive(readText(`${mount}/memory${folder}/memory.limit_in_bytes`)));
    }
  }
  const limits = memory.filter((bytes) => bytes < NO_LIMIT_BYTES);
  return {
    cpus: cpus.length > 0 ? Math.min(...cpus) : undefined,
    memoryBytes: limits.length > 0 ? Math.min(...limits) : undefined,
  };
}

/** Lines `hierarchy:controllers:path`; version 2 has no controllers. */
function ownGroups(text: string): { controllers: string; path: string }[] {
  return text.split("\n").flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(\/.*)$/.exec(line) ?? [];
    return controllers === undefined || path === undefined ? [] : [{ controllers, path }];
  });
}

/** `/a/b` -> `/a/b`, `/a`, ``. In a container the path is often the host's, and only the root exists. */
function upwards(path: string): string[] {
  const parts = path.split("/").filter((part) => part !== "");
  return Array.from({ length: parts.length + 1 }, (_, up) => parts.slice(0, parts.length - up)).map((kept) =>
    kept.map((part) => `/${part}`).join(""),
  );
}

function quotaOfCpuMax(text: string | undefined): number | undefined {
  const [quota, period] = (text ?? "").trim().split(/\s+/);
  return ratio(quota, period);
}

function ratio(quota: string | undefined, period: string | undefined): number | undefined {
  const above = positive(quota);
  const below = positive(period);
  return above === undefined || below === undefined ? undefined : above / below;
}

/** A number above zero; `max`, `-1` and nothing are no limit. */
function positive(text: string | undefined): number | undefined {
  const value = Number((text ?? "").trim() || "x");
  return Number.isFinite(value) && value > 0 ? value : undefined;
}

function add(list: number[], value: number | undefined): void {
  if (value !== undefined) list.push(value);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Most of these files do not exist on any one system; absence means "no limit".
    return undefined;
  }
}
