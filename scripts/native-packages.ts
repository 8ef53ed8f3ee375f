/** Packages with native code: they can't be bundled and are found in `node_modules` at run time. */
export interface NativePackage {
  readonly name: string;
  /** Which of its files (paths below the package) are needed. */
  needs(file: string): boolean;
}

/** Those that the program imports, for the bundler. */
export const IMPORTED_NATIVE_PACKAGES = ["better-sqlite3", "koffi"] as const;

/** What an image for Linux on `arch` (as in `process.arch`) must hold. */
export function nativePackages(arch: string): readonly NativePackage[] {
  return [
    {
      name: "better-sqlite3",
      needs: (file) =>
        file === "package.json" ||
        file === "LICENSE" ||
        /^lib\/(?!win32|darwin|linux)/.test(file) ||
        file === `lib/linux-${arch}.js` ||
        file === `prebuilds/linux-${arch}.node`,
    },
    {
      name: "koffi",
      needs: (file) =>
        ["package.json", "LICENSE.txt", "index.js", "src/koffi/index.js", "src/koffi/src/static.js"].includes(file),
    },
    {
      // Its binaries lie in packages of their own, one for each system.
      name: `@koromix/koffi-linux-${arch}`,
      needs: (file) => ["package.json", "index.js", `linux_${arch}/koffi.node`].includes(file),
    },
  ];
}
