import { afterAll, beforeAll } from "vitest";
import { openS3 } from "../../../test/conformance/s3-store.ts";
import { testPartUploads } from "../../../test/faults/part-uploads.ts";
import {
  everythingIn,
  makeBucket,
  plainClient,
  s3Environment,
  type S3Server,
} from "../../../test/servers/s3-server.ts";
import { startVersitygw } from "../../../test/servers/versitygw.ts";

let server: S3Server;
let buckets = 0;

beforeAll(async () => {
  server = await startVersitygw();
});
afterAll(() => server.stop());

testPartUploads({
  label: "S3 on versitygw",
  part: { methods: ["PUT"], path: /partNumber=/ },
  commit: { methods: ["POST"], path: /uploadId=/ },
  mayLeaveParts: false,
  async create() {
    const client = plainClient(server);
    const bucket = `faults-${(buckets += 1)}`;
    await makeBucket(client, bucket);
    const environment = (port: number): Record<string, string> => ({
      ...s3Environment(server, bucket, "site"),
      AWS_ENDPOINT: `127.0.0.1:${port}`,
      AWS_PART_SIZE: "5",
    });
    return {
      port: Number(server.host.split(":")[1]),
      open: (port) => openS3(environment(port)),
      openWrong: (port) => openS3({ ...environment(port), AWS_SECRET_ACCESS_KEY: "wrong-secret" }),
      rawNames: () => everythingIn(client, bucket, ""),
      async cleanUp() {
        client.destroy();
      },
    };
  },
});
