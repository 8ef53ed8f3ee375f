/**
 * Copies what the image holds into a folder: the launchers, `dist/` and the native packages, for the architecture that
 * this script runs on. Called by the Dockerfile after the build: `node scripts/stage-image.ts /path/to/folder`.
 */
import { chmodSync, cpSync, mkdirSync, readdirSync, statSync } from "node:fs";
import path from "node:path";
import { IMPORTED_NATIVE_PACKAGES, nativePackages } from "./native-packages.ts";

const ROOT = path.join(import.meta.dirname, "..");
const target = process.argv[2];
if (target === undefined) throw new Error("usage: stage-image.ts <folder>");

mkdirSync(target, { recursive: true });
for (const name of ["bin", "dist", "LICENSE"])
  cpSync(path.join(ROOT, name), path.join(target, name), { recursive: true });
cpSync(path.join(ROOT, "docker"), path.join(target, "docker"), { recursive: true });

let binaries = 0;
for (const native of nativePackages(process.arch)) {
  const from = path.join(ROOT, "node_modules", native.name);
  const files = readdirSync(from, { recursive: true, encoding: "utf8" })
    .filter((file) => statSync(path.join(from, file)).isFile())
    .filter((file) => native.needs(file));
  if (files.length === 0) throw new Error(`nothing of ${native.name} is there for linux-${process.arch}`);
  binaries += files.filter((file) => file.endsWith(".node")).length;
  for (const file of files) cpSync(path.join(from, file), path.join(target, "node_modules", native.name, file));
}
if (binaries < IMPORTED_NATIVE_PACKAGES.length) throw new Error(`native builds are missing for linux-${process.arch}`);

// Whatever the build's umask was: any user of the container may read and run it.
for (const name of readdirSync(target, { recursive: true, encoding: "utf8" })) {
  const file = path.join(target, name);
  const isProgram = statSync(file).isDirectory() || /^(bin|docker)\//.test(name);
  chmodSync(file, isProgram ? 0o755 : 0o644);
}
