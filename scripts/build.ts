/**
 * Bundles the sources into `dist/`: `main.js`, one file per worker thread, and the chunks they share or load lazily, all
 * side by side, because workers are looked for beside the chunk that starts them (`src/lib/worker-url.ts`).
 * Native packages stay outside and are found in `node_modules` at run time. Identifiers and white
 * space are left alone: a stack trace in a user's report must name functions and lines.
 */
import { existsSync, globSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { build, type Plugin } from "esbuild";
import { IMPORTED_NATIVE_PACKAGES } from "./native-packages.ts";

const ROOT = path.join(import.meta.dirname, "..");
/** Another folder can be named for tests. */
const DIST = path.resolve(process.argv[2] ?? path.join(ROOT, "dist"));

/** pino's worker-thread transports are never used; without them a worker, its files and `thread-stream` stay out. */
const withoutPinoTransports: Plugin = {
  name: "without-pino-transports",
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]pino[\\/]lib[\\/]transport\.js$/ }, () => ({
      contents: `module.exports = () => { throw new Error("pino transports are not part of Lifeboat"); };`,
      loader: "js",
    }));
  },
};

function entryPoints(): string[] {
  const workers = globSync("src/**/*-worker.ts", { cwd: ROOT }).toSorted();
  const names = workers.map((file) => path.basename(file));
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`two workers are called ${twice}: dist is one flat folder`);
  return ["src/main.ts", ...workers];
}

/** Bundled CommonJS packages use `require` and `__dirname` (ssh2 does), which ES modules don't have. */
function asCommonJs(text: string): string {
  const lines: string[] = [];
  if (text.includes("var __require =")) {
    lines.push('import { createRequire as __createRequire } from "node:module";');
    lines.push("const require = __createRequire(import.meta.url);");
  }
  if (/\b__dirname\b/.test(text)) lines.push("const __dirname = import.meta.dirname;");
  return [...lines, text].join("\n");
}

/** The licences of everything that was bundled, as they ask for. */
function licences(inputs: readonly string[]): string {
  const packages = new Set<string>();
  for (const input of inputs) {
    const found = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)?.[1];
    if (found !== undefined) packages.add(found);
  }
  const parts: string[] = [];
  for (const folder of [...packages].toSorted()) {
    const { name, version, license } = JSON.parse(
      readFileSync(path.join(ROOT, folder, "package.json"), "utf8"),
    ) as Record<string, string>;
    const file = readdirSync(path.join(ROOT, folder)).find((entry) => /^licen[cs]e/i.test(entry));
    const text =
      file === undefined
        ? `License: ${license ?? "see the package"}`
        : readFileSync(path.join(ROOT, folder, file), "utf8").trim();
    parts.push(`${name ?? folder} ${version ?? ""}\n\n${text}\n`);
  }
  return parts.join(`\n${"-".repeat(80)}\n\n`);
}

/** Written beside and renamed: a program that starts meanwhile sees the old file or the new one. */
function writeOutputs(files: ReadonlyMap<string, string | Uint8Array>): void {
  mkdirSync(DIST, { recursive: true });
  for (const [name, content] of files) {
    const target = path.join(DIST, name);
    if (existsSync(target) && readFileSync(target).equals(Buffer.from(content))) continue;
    writeFileSync(`${target}.partial`, content);
    renameSync(`${target}.partial`, target);
  }
  for (const name of readdirSync(DIST)) {
    if (!files.has(name)) rmSync(path.join(DIST, name), { recursive: true, force: true });
  }
}

const { version } = JSON.parse(readFileSync(path.join(ROOT, "package.json"), "utf8")) as { version: string };

const result = await build({
  absWorkingDir: ROOT,
  entryPoints: entryPoints(),
  entryNames: "[name]",
  chunkNames: "[name]-[hash]",
  outdir: DIST,
  bundle: true,
  splitting: true,
  format: "esm",
  platform: "node",
  target: "node26",
  minifySyntax: true,
  keepNames: false,
  legalComments: "none",
  // `*.node`: what ssh2 would use where somebody compiled it; it does without.
  external: [...IMPORTED_NATIVE_PACKAGES, "*.node"],
  plugins: [withoutPinoTransports],
  metafile: true,
  write: false,
  logLevel: "warning",
});

const outputs = new Map<string, string | Uint8Array>();
for (const file of result.outputFiles) {
  const name = path.relative(DIST, file.path);
  if (name.includes(path.sep)) throw new Error(`${name} does not lie flat in dist`);
  outputs.set(name, asCommonJs(file.text));
}
outputs.set("package.json", `${JSON.stringify({ type: "module", version })}\n`);
outputs.set("LICENSES.txt", licences(Object.keys(result.metafile.inputs)));
writeOutputs(outputs);

const sizeKb = [...outputs].reduce((sum, [, content]) => sum + content.length, 0) / 1000;
console.log(
  `dist: ${outputs.size} files, ${sizeKb.toFixed(0)} kB (main.js ${((outputs.get("main.js")?.length ?? 0) / 1000).toFixed(1)} kB)`,
);
