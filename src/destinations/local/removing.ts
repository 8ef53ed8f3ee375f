import { unlink } from "node:fs/promises";
import type { Area } from "../../contracts/destination.ts";
import { DestinationError, systemCode } from "../../lib/errors.ts";
import { printablePath } from "../../lib/printable.ts";
import { toLocalError } from "./errors.ts";
import { componentsOf } from "../names.ts";
import { openParent } from "./object-folder.ts";
import { kindAt } from "./partial.ts";

/** Removes one regular file. A missing one is success, a link, a folder or anything else an error. */
export async function removeFile(folder: string, area: Area, name: string, signal: AbortSignal): Promise<void> {
  const attempt = `cannot remove ${printablePath(name)} in ${folder}`;
  signal.throwIfAborted();
  const components = componentsOf(area, name);
  try {
    const parent = await openParent(folder, area, components, false);
    try {
      const target = parent.at(components.at(-1) ?? "");
      const kind = await kindAt(target);
      if (kind === undefined) return;
      if (kind !== "file") throw new DestinationError("invalid", `${attempt}: it is a ${kind}, not a file`);
      await unlink(target);
    } finally {
      await parent.close();
    }
  } catch (error) {
    if (systemCode(error) === "ENOENT") return;
    throw toLocalError(error, attempt);
  }
}
