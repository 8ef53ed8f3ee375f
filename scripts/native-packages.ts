/** Packages with native code: they can't be bundled and are found in `node_modules` at run time. */
export interface NativePackage {
  readonly name: string;
  /** Which of its files (paths below the package) a Linux machine of this architecture (`process.arch`) needs. */
  needs(file: string, arch: string): boolean;
}

export const NATIVE_PACKAGES: readonly NativePackage[] = [
  {
    name: "better-sqlite3",
    needs: (file, arch) =>
      file === "package.json" ||
      file === "LICENSE" ||
      /^lib\/(?!win32|darwin|linux)/.test(file) ||
      file === `lib/linux-${arch}.js` ||
      file === `prebuilds/linux-${arch}.node`,
  },
];
