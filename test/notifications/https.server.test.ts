import { execFile } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeCertificates } from "../servers/certificates.ts";
import { temporaryFolder } from "../servers/program.ts";

const folder = temporaryFolder();
let server: Server;
let address: string;

beforeAll(async () => {
  const certificates = makeCertificates(folder);
  writeFileSync(join(folder, "authority.pem"), certificates.ca);
  const key = readFileSync(certificates.keyFile);
  server = createServer({ key, cert: readFileSync(certificates.certificateFile) }, (_, response) => response.end("{}"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  address = `localhost:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  rmSync(folder, { recursive: true, force: true });
});

const root = join(import.meta.dirname, "../../src/notifications");
const program = `
  const { parseRoutes } = await import(${JSON.stringify(join(root, "routes.ts"))});
  const { sendAll } = await import(${JSON.stringify(join(root, "send/send-all.ts"))});
  const { routes } = parseRoutes(process.argv[1]);
  const [report] = await sendAll(routes, { body: "b", level: "info" }, { signal: AbortSignal.timeout(20000) });
  console.log(JSON.stringify(report));
`;

/** In a process of its own: what a process trusts is settled once. */
async function send(
  url: string,
  environment: Record<string, string>,
): Promise<{ isDelivered: boolean; problems: string[] }> {
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program, url], {
    env: { PATH: process.env["PATH"] ?? "", ...environment },
  });
  return JSON.parse(stdout) as { isDelivered: boolean; problems: string[] };
}

describe("https", () => {
  it("wants a certificate of an authority that it knows", async () => {
    const report = await send(`generic://${address}/x`, { SSL_CERT_FILE: "/dev/null" });
    expect(report).toMatchObject({ isDelivered: false, canRetry: false, problems: ["its certificate is not trusted"] });
  });

  it.each(["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"])("learns of further authorities through %s", async (name) => {
    const report = await send(`generic://${address}/x`, { [name]: join(folder, "authority.pem") });
    expect(report).toMatchObject({ isDelivered: true, problems: [] });
  });

  it("does not check where the URL says so", async () => {
    const environment = { SSL_CERT_FILE: "/dev/null" };
    expect(await send(`ntfy://${address}/t?disabletlsverification=yes`, environment)).toMatchObject({
      isDelivered: true,
    });
    const token = "AzyoeNS.D4iJLVa";
    expect(await send(`gotify://${address}/${token}?insecureskipverify=yes`, environment)).toMatchObject({
      isDelivered: true,
    });
  });
});
