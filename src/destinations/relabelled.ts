import type { Destination } from "../contracts/destination.ts";
import { DestinationError } from "../lib/errors.ts";

export interface Labels {
  readonly label: string;
  readonly addressSetting: string;
  /** Names the settings in a text as the user wrote them. */
  rename(text: string): string;
}

/** The same destination under a label of its own, whose errors name the settings that the user wrote. */
export function relabelled(inner: Destination, { label, addressSetting, rename }: Labels): Destination {
  const renamed = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw renamedError(error, rename);
    }
  };
  return {
    kind: inner.kind,
    label,
    addressSetting: rename(addressSetting),
    ...(inner.endpoint === undefined ? {} : { endpoint: inner.endpoint }),
    connect: (signal) => renamed(inner.connect(signal)),
    put: (name, body, options) => renamed(inner.put(name, body, options)),
    async *list(area, signal) {
      try {
        yield* inner.list(area, signal);
      } catch (error) {
        throw renamedError(error, rename);
      }
    },
    get: (area, name, range, signal) => renamed(inner.get(area, name, range, signal)),
    remove: (area, name, signal) => renamed(inner.remove(area, name, signal)),
    removeLeftovers: (owner, signal) => renamed(inner.removeLeftovers(owner, signal)),
    close: () => inner.close(),
  };
}

function renamedError(error: unknown, rename: (text: string) => string): unknown {
  if (!(error instanceof DestinationError)) return error;
  const { code, message, hint, retryAfterMs, isFinal } = error;
  return new DestinationError(code, rename(message), {
    cause: error,
    isFinal,
    ...(hint === undefined ? {} : { hint: rename(hint) }),
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

/** What stands in for a destination that can't even be opened: each call fails with the reason, and only its own. */
export function brokenDestination(kind: Destination["kind"], label: string, error: unknown): Destination {
  const fail = (): Promise<never> => Promise.reject(error instanceof Error ? error : new Error(String(error)));
  return {
    kind,
    label,
    connect: fail,
    put: fail,
    // oxlint-disable-next-line require-yield -- it never comes so far
    async *list() {
      await fail();
    },
    get: fail,
    remove: fail,
    removeLeftovers: fail,
    close: () => Promise.resolve(),
  };
}
