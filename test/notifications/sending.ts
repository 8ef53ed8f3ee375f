import { expect } from "vitest";
import type { NotificationMessage, SendReport } from "../../src/contracts/notification.ts";
import { parseRoutes } from "../../src/notifications/routes.ts";
import { type SendOptions, sendAll } from "../../src/notifications/send/send-all.ts";
import { fakeService } from "./fakes.ts";
import { type Answering, openWire, type Received } from "./wire.ts";

export interface Sent {
  readonly report: SendReport;
  readonly received: readonly Received[];
}

/** Sends one message through one URL to a server that answers so; without an answer, as the service does. */
export async function sendThrough(
  url: string,
  message: Partial<NotificationMessage>,
  answer: Answering = fakeService,
  options: Partial<SendOptions> = {},
): Promise<Sent> {
  const wire = await openWire(answer);
  try {
    const { routes, problems } = parseRoutes(url.replaceAll(",", "%2C"));
    expect(problems).toEqual([]);
    const [report = expect.fail()] = await sendAll(
      routes,
      { body: "", level: "error", ...message },
      { signal: AbortSignal.timeout(20_000), connections: wire.connections, retryBaseMs: 1, ...options },
    );
    return { report, received: wire.received };
  } finally {
    await wire.close();
  }
}

/** The JSON bodies of requests. */
export function bodies(received: readonly Received[]): readonly Readonly<Record<string, unknown>>[] {
  return received.map(({ body }) => JSON.parse(body) as Readonly<Record<string, unknown>>);
}
