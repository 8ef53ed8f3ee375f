import type { Area } from "../../contracts/destination.ts";
import { folderOf } from "../folder.ts";
import { componentsOf, RECORD_FOLDER } from "../names.ts";
import { decodePath } from "./multistatus.ts";

/** Decoded components below the server's root. */
export type DavPath = readonly string[];

/** Where an object lies. Throws `invalid` for every name that is not plainly below the folder. */
export function placeOf(root: DavPath, area: Area, name: string): { readonly folder: DavPath; readonly base: string } {
  const components = componentsOf(area, name);
  return {
    folder: area === "record" ? [...root, RECORD_FOLDER, ...components.slice(0, -1)] : root,
    base: components.at(-1) ?? "",
  };
}

/** The path of a request. Collections end with a slash: some servers insist on it. */
export function encodePath(path: DavPath, kind: "file" | "folder"): string {
  const encoded = path.map((component) => encodeURIComponent(component)).join("/");
  return `/${encoded}${kind === "folder" && encoded !== "" ? "/" : ""}`;
}

/** The path of `WEBDAV_URL`, as its own components. */
export function basePathOf(url: URL): DavPath {
  return decodePath(url.pathname) ?? url.pathname.split("/").filter((component) => component !== "");
}

/** `WEBDAV_PATH` is plain text, as people write it: nothing in it is encoded. */
export function folderComponents(path: string): DavPath {
  return folderOf(path)
    .split("/")
    .filter((component) => component !== "");
}

export function samePath(a: DavPath, b: DavPath): boolean {
  return a.length === b.length && a.every((component, at) => component === b[at]);
}
