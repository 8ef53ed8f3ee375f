/**
 * Where a worker's code is: beside the importing module, as `.ts` when run from sources and `.js` in the bundle, whose
 * files all lie in one folder.
 */
export function workerUrl(importerUrl: string, name: string): URL {
  return new URL(importerUrl.endsWith(".ts") ? `./${name}.ts` : `./${name}.js`, importerUrl);
}
