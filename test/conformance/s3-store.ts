import { CreateMultipartUploadCommand, PutObjectCommand, UploadPartCommand } from "@aws-sdk/client-s3";
import type { Destination } from "../../src/contracts/destination.ts";
import { partialName } from "../../src/destinations/partial-name.ts";
import { s3OptionsFrom } from "../../src/destinations/s3/options.ts";
import { createS3Destination } from "../../src/destinations/s3/s3.ts";
import type { Certificates } from "../servers/certificates.ts";
import { valuesFrom } from "../servers/job-values.ts";
import { everythingIn, makeBucket, plainClient, s3Environment, type S3Server } from "../servers/s3-server.ts";
import { testDestination } from "./destination-suite.ts";
import { sampleBytes } from "./sources.ts";

interface Servers {
  readonly server: S3Server;
  readonly tls?: { readonly server: S3Server; readonly certificates: Certificates };
}

let buckets = 0;
const nextBucket = (): string => `lifeboat-${process.pid}-${(buckets += 1)}`;

export async function openS3(environment: Readonly<Record<string, string>>): Promise<Destination> {
  return createS3Destination(s3OptionsFrom(await valuesFrom(environment)));
}

/** The suite for one make of server; `servers` is asked once they run. */
export function testS3Conformance(
  make: string,
  servers: () => Servers,
  exceptions: Readonly<Record<string, string>> = {},
): void {
  testDestination({
    label: `S3 on ${make}`,
    kind: "s3",
    partBytes: 8 * 1024 * 1024,
    secrets: ["testsecret", "testing-secret", "wrong-secret"],
    exceptions,
    async create() {
      const { server, tls } = servers();
      const client = plainClient(server);
      const bucket = nextBucket();
      await makeBucket(client, bucket);
      return {
        open: (prefix) => openS3(s3Environment(server, bucket, prefix)),
        rawNames: (prefix) => everythingIn(client, bucket, `${prefix}/`),
        async plantLeftover(prefix, name, owner) {
          // The name that this process would use, of a process that cannot exist any more.
          const mark = partialName(name, owner).replace(`-${process.pid}-`, "-4194999-");
          const upload = { Bucket: bucket, Key: `${prefix}/${name}` };
          await client.send(
            new PutObjectCommand({ Bucket: bucket, Key: `${prefix}/.lifeboat/uploads/${mark}`, Body: Buffer.alloc(0) }),
          );
          const { UploadId } = await client.send(new CreateMultipartUploadCommand(upload));
          await client.send(new UploadPartCommand({ ...upload, UploadId, PartNumber: 1, Body: sampleBytes(1_000) }));
        },
        openWrong: (wrong) =>
          openS3(
            wrong === "credentials"
              ? { ...s3Environment(server, bucket), AWS_SECRET_ACCESS_KEY: "wrong-secret" }
              : s3Environment(server, "lifeboat-none-there"),
          ),
        async openTls(trust) {
          if (tls === undefined) throw new Error(`no ${make} with TLS`);
          const tlsClient = plainClient(tls.server);
          const tlsBucket = nextBucket();
          await makeBucket(tlsClient, tlsBucket);
          return await openS3({
            ...s3Environment(tls.server, tlsBucket),
            ...(trust === "ca" ? { AWS_ENDPOINT_CA_CERT: tls.certificates.ca } : {}),
            ...(trust === "insecure" ? { AWS_ENDPOINT_INSECURE: "true" } : {}),
          });
        },
        async cleanUp() {
          client.destroy();
        },
      };
    },
  });
}
