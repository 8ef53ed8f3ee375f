import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { lstatSync, readFileSync, readdirSync, readlinkSync } from "node:fs";

/**
 * One line for everything below `root`: path, type, mode, owner, time, content or target, device; with `links` also the
 * number of names. Paths as bytes, one character each.
 */
export function snapshotTree(root: string, links: boolean): string[] {
  const lines: string[] = [];
  const visit = (bytes: string, shown: string): void => {
    const at = Buffer.from(bytes, "latin1");
    const stat = lstatSync(at, { bigint: true });
    const type = typeOf(stat);
    const content =
      type === "-"
        ? createHash("sha256").update(readFileSync(at)).digest("hex")
        : type === "l"
          ? readlinkSync(at, { encoding: "latin1" })
          : "";
    const device = type === "c" || type === "b" ? deviceOf(stat.rdev) : "";
    const fields = [
      shown,
      type,
      (stat.mode & 0o7777n).toString(8),
      `${stat.uid}:${stat.gid}`,
      seconds(stat.mtimeNs),
      content,
      device,
    ];
    if (links && type === "-") fields.push(String(stat.nlink));
    lines.push(fields.join(" "));
    if (type !== "d") return;
    for (const name of readdirSync(at, { encoding: "latin1" }).sort())
      visit(`${bytes}/${name}`, shown === "" ? name : `${shown}/${name}`);
  };
  visit(Buffer.from(root).toString("latin1"), "");
  return lines;
}

function typeOf(stat: BigIntStats): string {
  if (stat.isFile()) return "-";
  if (stat.isDirectory()) return "d";
  if (stat.isSymbolicLink()) return "l";
  if (stat.isFIFO()) return "p";
  return stat.isCharacterDevice() ? "c" : "b";
}

function deviceOf(rdev: bigint): string {
  return `${(rdev >> 8n) & 0xfffn}:${(rdev & 0xffn) | ((rdev >> 12n) & 0xfff00n)}`;
}

/** `-1.5` for one and a half seconds before 1970. */
function seconds(ns: bigint): string {
  const size = ns < 0n ? -ns : ns;
  const fraction = (size % 1_000_000_000n).toString().padStart(9, "0").replace(/0+$/, "");
  return `${ns < 0n ? "-" : ""}${size / 1_000_000_000n}${fraction === "" ? "" : `.${fraction}`}`;
}
