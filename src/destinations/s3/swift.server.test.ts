import { afterAll, beforeAll } from "vitest";
import { testS3Conformance } from "../../../test/conformance/s3-store.ts";
import type { S3Server } from "../../../test/servers/s3-server.ts";
import { startSwift } from "../../../test/servers/swift.ts";

let server: S3Server;

beforeAll(async () => {
  server = await startSwift();
});
afterAll(() => server.stop());

const NO_TLS = "Swift's development server has no TLS worth the name; versitygw shows it";

testS3Conformance("Swift's s3api", () => ({ server }), {
  "an unknown authority's certificate is accepted where the setting names the authority": NO_TLS,
  "an unknown authority's certificate is accepted where the check is switched off": NO_TLS,
  "an unknown authority's certificate is refused otherwise, with a setting to look at": NO_TLS,
});
