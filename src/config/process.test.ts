import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, it } from "vitest";
import { processSettings } from "./process.ts";
import { short, temporaryFolder } from "./testing.ts";

it("has defaults, also for what is empty", () => {
  const options = {
    stateDir: "/data",
    lockFile: "/var/lock/dockervolumebackup.lock",
    logFormat: "text",
    logLevel: "info",
    templateFolders: ["/etc/dockervolumebackup/notifications.d", "/config/notifications.d"],
  };
  expect(processSettings({})).toEqual({ options, configDir: undefined, problems: [] });
  expect(processSettings({ STATE_DIR: "", LOG_LEVEL: "", LOG_FORMAT: undefined })).toEqual({
    options,
    configDir: undefined,
    problems: [],
  });
});

it("reads the environment, and files that it names", () => {
  const file = path.join(temporaryFolder(), "dir");
  writeFileSync(file, "/somewhere\n");
  expect(
    processSettings({
      STATE_DIR_FILE: file,
      LOCK_FILE: "/l",
      LOG_FORMAT: "json",
      LOG_LEVEL: "debug",
      CONFIG_DIR: "/c",
    }),
  ).toEqual({
    options: {
      stateDir: "/somewhere",
      lockFile: "/l",
      logFormat: "json",
      logLevel: "debug",
      templateFolders: ["/etc/dockervolumebackup/notifications.d", "/c/notifications.d"],
    },
    configDir: "/c",
    problems: [],
  });
});

it("reports what is wrong and goes on with the default", () => {
  const { options, problems } = processSettings({
    STATE_DIR: "data",
    LOG_LEVEL: "INFO",
    LOG_FORMAT_FILE: "/does/not/exist",
  });
  expect(options).toMatchObject({ stateDir: "/data", logLevel: "info", logFormat: "text" });
  expect(problems.map(short)).toEqual([
    "error LOG_FORMAT_FILE: can't read the file that it names: it does not exist",
    'error STATE_DIR: must be an absolute path (beginning with /) (it is "data")',
    'error LOG_LEVEL: must be one of debug, info, warn, error, written exactly so (it is "INFO")',
  ]);
});
