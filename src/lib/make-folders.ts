import { mkdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { systemCode } from "./errors.ts";

/**
 * Makes a folder and the ones above it that are missing; what is there already stays as it is. `mode` is for those that
 * are made. Node's own `recursive` never returns where the system says "no such file" below a folder that exists (as in
 * `/proc`): it goes up, finds that folder, and begins anew. Here each folder is tried twice at most.
 * @throws the system's error
 */
export function makeFolders(folder: string, mode?: number): void {
  const wanted = resolve(folder);
  if (makeOne(wanted, mode) === "made") return;
  makeFolders(dirname(wanted), mode);
  if (makeOne(wanted, mode) === "no parent") mkdirSync(wanted, mode);
}

/** `no parent`, too, where the system merely says so; the root is its own parent and always there. */
function makeOne(folder: string, mode: number | undefined): "made" | "no parent" {
  try {
    mkdirSync(folder, mode);
    return "made";
  } catch (error) {
    if (systemCode(error) === "ENOENT") return "no parent";
    // An existing folder is said in many ways (EEXIST, EROFS, EACCES, EISDIR).
    if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return "made";
    throw error;
  }
}
