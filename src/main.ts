/**
 * Chooses the command and sets the exit code; the only place that ends the process. What a command needs is imported
 * when it is called.
 */
import { VERSION } from "./version.ts";

async function main(argv: readonly string[]): Promise<number> {
  const [first, ...rest] = argv;
  if (first === "--version" || first === "version") {
    const { processOutput } = await import("./cli/output.ts");
    processOutput.print(`lifeboat ${VERSION}`);
    return 0;
  }
  if (first === "--child") return (await import("./cli/child.ts")).child();
  const { dispatch } = await import("./cli/dispatch.ts");
  return first === "--as=backup" ? dispatch("backup", rest) : dispatch("lifeboat", argv);
}

/** Errors that nobody awaits (a stream's, say) end the process in one line, as all others do. */
process.on("uncaughtException", (thrown) => {
  // Whoever asked for the end knows it: the daemon looks after what the process left undone.
  if (thrown.name !== "AbortError")
    process.stderr.write(`lifeboat: ${thrown.message.split("\n")[0]} (this is a bug in Lifeboat; please report it)\n`);
  process.exit(1);
});

const code = await main(process.argv.slice(2));
// See EXIT_BY_KILL in cli/exit-codes.ts.
if (code < 0) process.kill(process.pid, "SIGKILL");
else process.exit(code);
