import { CreateBucketCommand, ListMultipartUploadsCommand, paginateListObjectsV2, S3Client } from "@aws-sdk/client-s3";
import * as https from "node:https";

/** A running server that speaks S3, whatever its make. */
export interface S3Server {
  /** `127.0.0.1:port`. */
  readonly host: string;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly isHttps: boolean;
  stop(): Promise<void>;
}

/** The SDK as it is, to look at a store without the code under test. */
export function plainClient(server: S3Server, region = "us-east-1"): S3Client {
  const { accessKeyId, secretAccessKey } = server;
  return new S3Client({
    region,
    endpoint: `${server.isHttps ? "https" : "http"}://${server.host}`,
    forcePathStyle: true,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: "WHEN_REQUIRED",
    responseChecksumValidation: "WHEN_REQUIRED",
    ...(server.isHttps ? { requestHandler: { httpsAgent: new https.Agent({ rejectUnauthorized: false }) } } : {}),
  });
}

export async function makeBucket(client: S3Client, bucket: string): Promise<void> {
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
}

/** Every object's key, and every unfinished upload's; an upload and the mark that Lifeboat keeps beside it are one. */
export async function everythingIn(client: S3Client, bucket: string, prefix: string): Promise<string[]> {
  const names: string[] = [];
  for await (const page of paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: prefix })) {
    for (const { Key } of page.Contents ?? []) names.push(Key ?? "");
  }
  const uploads = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  const unfinished = (uploads.Uploads ?? []).map(({ Key }) => Key ?? "");
  const isMarkOfOne = (name: string): boolean =>
    unfinished.some((key) => name.includes(`.lifeboat/uploads/.${key.slice(prefix.length)}.lb1-`));
  return [...names.filter((name) => !isMarkOfOne(name)), ...unfinished.map((key) => `upload ${key}`)];
}

/** The settings that lead to a bucket of this server. */
export function s3Environment(server: S3Server, bucket: string, path = ""): Record<string, string> {
  return {
    AWS_S3_BUCKET_NAME: bucket,
    AWS_S3_PATH: path,
    AWS_ENDPOINT: server.host,
    AWS_ENDPOINT_PROTO: server.isHttps ? "https" : "http",
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
  };
}
