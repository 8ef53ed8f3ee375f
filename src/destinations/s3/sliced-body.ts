import { slicesOf } from "../slices.ts";

/** As much of an SDK command as is needed here. */
interface Command {
  readonly middlewareStack: {
    add(
      middleware: (
        next: (args: { request: unknown }) => Promise<unknown>,
      ) => (args: { request: unknown }) => Promise<unknown>,
      options: { readonly step: "deserialize"; readonly priority: "low"; readonly name: string },
    ): void;
  };
}

/** Has a command send its body in small pieces; see `slicesOf`. */
export function sendInSlices(command: object, bytes: Buffer, taken: () => void): void {
  if (bytes.byteLength === 0) return;
  // After signing: the SDK signs the buffer, and never sees a stream.
  (command as Command).middlewareStack.add(
    (next) => async (args) => {
      (args.request as { body: unknown }).body = slicesOf(bytes, { taken });
      return await next(args);
    },
    { step: "deserialize", priority: "low", name: "sendInSlices" },
  );
}
