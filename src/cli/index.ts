import type { Command } from "./command.ts";

/** Every command, loaded only when it is called: `lifeboat --version` must not pay for SQLite. */
export const commands: ReadonlyMap<string, { readonly summary: string; load(): Promise<Command> }> = new Map([
  [
    "daemon",
    {
      summary: "run the jobs on their schedules until stopped (the image's default)",
      load: async () => (await import("./daemon.ts")).daemonCommand,
    },
  ],
  ["run", { summary: "run jobs now and wait for them", load: async () => (await import("./run.ts")).runCommand }],
  [
    "status",
    {
      summary: "what runs and how far, the last good backup, the next three times",
      load: async () => (await import("./status.ts")).statusCommand,
    },
  ],
  [
    "cancel",
    { summary: "end the run that is going on", load: async () => (await import("./cancel.ts")).cancelCommand },
  ],
  ["list", { summary: "the archives at the destinations", load: async () => (await import("./list.ts")).listCommand }],
  ["show", { summary: "the files in an archive", load: async () => (await import("./show.ts")).showCommand }],
  [
    "get",
    {
      summary: "copy an archive to a file or to standard output",
      load: async () => (await import("./get.ts")).getCommand,
    },
  ],
  [
    "restore",
    { summary: "unpack an archive into a folder", load: async () => (await import("./restore.ts")).restoreCommand },
  ],
  [
    "history",
    { summary: "the runs and what became of them", load: async () => (await import("./history.ts")).historyCommand },
  ],
  [
    "prune",
    {
      summary: "apply the retention rules (--dry-run: only show what they decide)",
      load: async () => (await import("./prune.ts")).pruneCommand,
    },
  ],
  [
    "check",
    {
      summary: "check configuration, sources, destinations (end to end) and compressors",
      load: async () => (await import("./check.ts")).checkCommand,
    },
  ],
  [
    "notify-test",
    {
      summary: "send a test message through every notification URL",
      load: async () => (await import("./notify-test.ts")).notifyTestCommand,
    },
  ],
  [
    "print-config",
    {
      summary: "every setting, its value (secrets masked) and where it comes from",
      load: async () => (await import("./print-config.ts")).printConfigCommand,
    },
  ],
  [
    "dropbox-login",
    {
      summary: "get the refresh token that Dropbox needs, once",
      load: async () => (await import("./dropbox-login.ts")).dropboxLoginCommand,
    },
  ],
  [
    "health",
    { summary: "exit 0 if the daemon is alive", load: async () => (await import("./health.ts")).healthCommand },
  ],
]);
