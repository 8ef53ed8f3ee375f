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

const code = await main(process.argv.slice(2));
// See EXIT_BY_KILL in cli/exit-codes.ts.
if (code < 0) process.kill(process.pid, "SIGKILL");
else process.exit(code);
