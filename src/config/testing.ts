import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { onTestFinished } from "vitest";
import { loadConfig, type LoadedConfig, type Problem } from "./load.ts";

/** For tests: a folder that is removed afterwards. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "lifeboat-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** For tests: a config folder with these files, by name. */
export function configFolder(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = path.join(temporaryFolder(), "config");
  mkdirSync(folder);
  for (const [name, content] of Object.entries(files)) writeFileSync(path.join(folder, name), content);
  return folder;
}

/** For tests: loads these files as the config folder. */
export function loadFiles(
  files: Readonly<Record<string, string | Uint8Array>>,
  environment: Readonly<Record<string, string>> = {},
): Promise<LoadedConfig> {
  return loadConfig({ environment, configDir: configFolder(files) });
}

/** For tests: loads an environment without any folder. */
export function loadEnvironment(environment: Readonly<Record<string, string>>): Promise<LoadedConfig> {
  return loadConfig({ environment, defaultFolders: [] });
}

/** For tests: `error 3 KEY: message`, short enough to compare. */
export function short({ severity, line, key, message }: Problem): string {
  return [severity, line, key === undefined ? undefined : `${key}:`, message]
    .filter((part) => part !== undefined)
    .join(" ");
}
