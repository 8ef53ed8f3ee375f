import type { Values } from "../../contracts/setting.ts";
import { createRedactor, type Redactor } from "../../lib/redact.ts";
import { folderOf } from "../folder.ts";
import type { TlsTrust } from "../tls.ts";
import { isAmazon, type Region, regionOf } from "./endpoint.ts";
import {
  AWS_ACCESS_KEY_ID,
  AWS_ENDPOINT,
  AWS_ENDPOINT_CA_CERT,
  AWS_ENDPOINT_INSECURE,
  AWS_ENDPOINT_PROTO,
  AWS_FORCE_PATH_STYLE,
  AWS_IAM_ROLE_ENDPOINT,
  AWS_PART_SIZE,
  AWS_REGION,
  AWS_S3_BUCKET_NAME,
  AWS_S3_PATH,
  AWS_SECRET_ACCESS_KEY,
  AWS_SESSION_TOKEN,
  AWS_SSE,
  AWS_SSE_KMS_KEY_ID,
  AWS_STORAGE_CLASS,
} from "./settings.ts";

export interface S3Options {
  readonly bucket: string;
  /** Key prefix without slashes at its ends; empty: the bucket's root. */
  readonly folder: string;
  /** `host` or `host:port`. */
  readonly host: string;
  readonly isHttps: boolean;
  readonly trust: TlsTrust;
  readonly region: Region;
  readonly isPathStyle: boolean;
  readonly credentials: S3Credentials;
  readonly storageClass?: string;
  readonly sse?: string;
  readonly sseKmsKeyId?: string;
  /** `AWS_PART_SIZE`, bytes. */
  readonly partBytes?: number;
  /** Amazon keeps a CRC32 of every object; the stores of others often refuse what that needs. */
  readonly usesCrc32: boolean;
  readonly redact: Redactor;
}

export type S3Credentials =
  | {
      readonly kind: "keys";
      readonly accessKeyId: string;
      readonly secretAccessKey: string;
      readonly sessionToken?: string;
    }
  | { readonly kind: "role"; readonly endpoint: string }
  | { readonly kind: "default-chain" };

/** What a job's settings ask for. Reads nothing but the settings. */
export function s3OptionsFrom(values: Values): S3Options {
  const host = values.get(AWS_ENDPOINT).trim().replace(/\/+$/, "");
  const caCertificate = values.get(AWS_ENDPOINT_CA_CERT);
  const partMiB = values.get(AWS_PART_SIZE) ?? 0;
  const storageClass = values.get(AWS_STORAGE_CLASS);
  const sse = values.get(AWS_SSE);
  const sseKmsKeyId = values.get(AWS_SSE_KMS_KEY_ID);
  return {
    bucket: (values.get(AWS_S3_BUCKET_NAME) ?? "").trim(),
    folder: folderOf(values.get(AWS_S3_PATH) ?? ""),
    host,
    isHttps: values.get(AWS_ENDPOINT_PROTO) === "https",
    trust: {
      ...(caCertificate === undefined ? {} : { caCertificate }),
      isInsecure: values.get(AWS_ENDPOINT_INSECURE),
    },
    region: regionOf(host, values.get(AWS_REGION)),
    isPathStyle: values.get(AWS_FORCE_PATH_STYLE) ?? !isAmazon(host),
    credentials: credentialsFrom(values),
    ...(storageClass === undefined ? {} : { storageClass }),
    ...(sse === undefined ? {} : { sse }),
    ...(sseKmsKeyId === undefined ? {} : { sseKmsKeyId }),
    ...(partMiB === 0 ? {} : { partBytes: partMiB * 1024 * 1024 }),
    usesCrc32: isAmazon(host),
    redact: createRedactor(
      [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN, AWS_SSE_KMS_KEY_ID].flatMap(
        (setting) => values.get(setting) ?? [],
      ),
    ),
  };
}

function credentialsFrom(values: Values): S3Credentials {
  const accessKeyId = values.get(AWS_ACCESS_KEY_ID);
  const secretAccessKey = values.get(AWS_SECRET_ACCESS_KEY);
  const sessionToken = values.get(AWS_SESSION_TOKEN);
  if (accessKeyId !== undefined && secretAccessKey !== undefined) {
    return {
      kind: "keys",
      accessKeyId,
      secretAccessKey,
      ...(sessionToken === undefined ? {} : { sessionToken }),
    };
  }
  const endpoint = values.get(AWS_IAM_ROLE_ENDPOINT);
  return endpoint === undefined ? { kind: "default-chain" } : { kind: "role", endpoint };
}
