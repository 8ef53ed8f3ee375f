import type { Area } from "../../contracts/destination.ts";
import { componentsOf, RECORD_FOLDER } from "../names.ts";

/** The folder as the server knows it. SFTP has no `~`: what people mean by it is the login's home, where relative paths begin. */
export function remoteFolder(remotePath: string): string {
  const path = remotePath.replace(/^~(?=\/|$)/, ".").replaceAll(/\/+/g, "/");
  if (path === "" || path === "/") return path === "" ? "." : "/";
  return path.replace(/\/$/, "");
}

export function below(folder: string, ...components: readonly string[]): string {
  if (components.length === 0) return folder;
  return [folder === "/" ? "" : folder, ...components].join("/");
}

/** Where an object lies: its folder and its name in it. Throws `invalid` for every name that is not plainly below. */
export function placeOf(root: string, area: Area, name: string): { readonly folder: string; readonly base: string } {
  const components = componentsOf(area, name);
  const folders = area === "record" ? [RECORD_FOLDER, ...components.slice(0, -1)] : [];
  return { folder: below(root, ...folders), base: components.at(-1) ?? "" };
}
