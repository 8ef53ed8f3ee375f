import { DestinationError } from "../../lib/errors.ts";
import { type DavPath, encodePath } from "./paths.ts";
import { type Asking, lookAt } from "./resources.ts";

export interface Published {
  readonly sizeBytes: number;
  readonly storedAt: number;
}

/** Gives an unfinished file its final name, replacing what is there. May be called again when its answer got lost. */
export async function publish(
  asking: Asking,
  from: DavPath,
  to: DavPath,
  expectedBytes: number,
  isRepeated: boolean,
): Promise<Published> {
  // Done already: the connection broke between the rename and its answer.
  const isDone = isRepeated && (await lookAt(asking, from, "file")) === undefined;
  if (!isDone) {
    await move(asking, from, to).catch(async (error: unknown) => {
      // Or something in between sent the same request twice, and this is the second answer.
      if (!(await wasMoved(asking, error, from, to, expectedBytes))) throw error;
    });
  }
  const stored = await lookAt(asking, to, "file");
  if (stored?.sizeBytes !== undefined && stored.sizeBytes !== expectedBytes) {
    throw new DestinationError(
      "unavailable",
      `${asking.attempt}: the server has ${stored.sizeBytes} bytes of it instead of ${expectedBytes}: did somebody else write to it?`,
    );
  }
  if (stored === undefined)
    throw new DestinationError("unavailable", `${asking.attempt}: it was renamed, but is not there`);
  return { sizeBytes: expectedBytes, storedAt: stored.modifiedAt ?? Date.now() };
}

async function wasMoved(
  asking: Asking,
  refusal: unknown,
  from: DavPath,
  to: DavPath,
  expectedBytes: number,
): Promise<boolean> {
  if (!(refusal instanceof DestinationError) || refusal.code !== "not-found") return false;
  if ((await lookAt(asking, from, "file")) !== undefined) return false;
  return (await lookAt(asking, to, "file"))?.sizeBytes === expectedBytes;
}

/**
 * `Destination` must be a whole URL by the first standard and may be a path by the second. Behind a proxy that ends TLS, a
 * server may take neither the scheme nor the port that we see: then the other forms are tried.
 */
async function move(asking: Asking, from: DavPath, to: DavPath): Promise<void> {
  const { client, signal, attempt } = asking;
  const whole = client.urlOf(encodePath(to, "file"));
  const swapped = `${whole.protocol === "https:" ? "http:" : "https:"}//${whole.host}${whole.pathname}`;
  let refusal: DestinationError | undefined;
  for (const destination of [whole.href, whole.pathname, swapped]) {
    const answer = await client.text({
      method: "MOVE",
      path: encodePath(from, "file"),
      headers: { Destination: destination, Overwrite: "T" },
      signal,
      attempt,
    });
    if (answer.status < 300 && answer.status !== 207) return;
    refusal ??= asMoveRefusal(answer.refusal());
    if (answer.status !== 400 && answer.status !== 502) break;
  }
  throw refusal ?? new Error("no form of the Destination header was tried");
}

/** The server took the file, so it is no wrong address. */
function asMoveRefusal(refusal: DestinationError): DestinationError {
  if (refusal.code !== "invalid") return refusal;
  return new DestinationError("invalid", refusal.message, {
    hint: "the server must let files be renamed (MOVE), also over an earlier one of that name",
    cause: refusal,
  });
}
