import { afterAll, beforeAll } from "vitest";
import { testS3Conformance } from "../../../test/conformance/s3-store.ts";
import { type Certificates, makeCertificates } from "../../../test/servers/certificates.ts";
import { temporaryFolder } from "../../../test/servers/program.ts";
import type { S3Server } from "../../../test/servers/s3-server.ts";
import { startVersitygw } from "../../../test/servers/versitygw.ts";

let server: S3Server;
let tlsServer: S3Server;
let certificates: Certificates;

beforeAll(async () => {
  certificates = makeCertificates(temporaryFolder());
  [server, tlsServer] = await Promise.all([startVersitygw(), startVersitygw({ tls: certificates })]);
});
afterAll(async () => {
  await Promise.all([server.stop(), tlsServer.stop()]);
});

testS3Conformance("versitygw", () => ({ server, tls: { server: tlsServer, certificates } }));
