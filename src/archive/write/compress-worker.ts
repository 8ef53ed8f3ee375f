import { hash } from "node:crypto";
import { parentPort, workerData } from "node:worker_threads";
import { type CompressReply, type CompressRequest, END } from "./compress-protocol.ts";
import { type EngineChoice, loadEngine } from "./engines.ts";

/** A thread that compresses one block after the other. An error ends it, and its parent hears of it. */
if (parentPort !== null) {
  const port = parentPort;
  const engine = await loadEngine(workerData as EngineChoice);
  port.on("message", (message: CompressRequest | typeof END) => {
    if (message === END) {
      port.close();
      return;
    }
    const { input, bytes, output } = message;
    const outputBytes = engine.compress(input, bytes, output);
    const sha256 = hash("sha256", new Uint8Array(output, 0, outputBytes), "buffer");
    const reply: CompressReply = { input, output, outputBytes, sha256, name: engine.name };
    port.postMessage(reply);
  });
}
