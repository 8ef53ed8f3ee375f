import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../../contracts/setting.ts";

export const AWS_S3_BUCKET_NAME: Setting<"text"> = {
  key: "AWS_S3_BUCKET_NAME",
  kind: "text",
  help: "Bucket that archives are stored in. Setting it switches S3 on.",
  check: (bucket) =>
    bucket.includes("/") ? "must be the name of a bucket alone; a folder in it goes into AWS_S3_PATH" : undefined,
};

export const AWS_S3_PATH: Setting<"text"> = {
  key: "AWS_S3_PATH",
  kind: "text",
  help: "Folder (key prefix) inside the bucket.",
};

export const AWS_ENDPOINT: WithDefault<"text"> = {
  key: "AWS_ENDPOINT",
  kind: "text",
  default: "s3.amazonaws.com",
  help: "Host name of the store, with `:port` where needed.",
  check: checkEndpoint,
};

export const AWS_ENDPOINT_PROTO: WithDefault<"choice"> = {
  key: "AWS_ENDPOINT_PROTO",
  kind: "choice",
  allowed: ["https", "http"],
  default: "https",
  help: "Protocol that the endpoint speaks.",
};

export const AWS_ENDPOINT_INSECURE: WithDefault<"boolean"> = {
  key: "AWS_ENDPOINT_INSECURE",
  kind: "boolean",
  default: "false",
  help: "Switches the check of the endpoint's certificate off. `AWS_ENDPOINT_CA_CERT` is the better way.",
};

export const AWS_ENDPOINT_CA_CERT: Setting<"pem"> = {
  key: "AWS_ENDPOINT_CA_CERT",
  kind: "pem",
  help: "Certificate authority that the endpoint's certificate is checked against, besides the usual ones: a path, or the PEM text itself.",
};

export const AWS_STORAGE_CLASS: Setting<"text"> = {
  key: "AWS_STORAGE_CLASS",
  kind: "text",
  help: "Storage class of archives, for example `STANDARD_IA`.",
};

export const AWS_ACCESS_KEY_ID: Setting<"text"> = {
  key: "AWS_ACCESS_KEY_ID",
  kind: "text",
  secret: true,
  help: "Access key.",
};

export const AWS_SECRET_ACCESS_KEY: Setting<"text"> = {
  key: "AWS_SECRET_ACCESS_KEY",
  kind: "text",
  secret: true,
  help: "Secret of the access key.",
};

export const AWS_SESSION_TOKEN: Setting<"text"> = {
  key: "AWS_SESSION_TOKEN",
  kind: "text",
  secret: true,
  isNew: true,
  help: "Session token of temporary credentials.",
};

export const AWS_IAM_ROLE_ENDPOINT: Setting<"url"> = {
  key: "AWS_IAM_ROLE_ENDPOINT",
  kind: "url",
  help: "Where credentials of an EC2 or ECS role are asked for, instead of a key.",
};

export const AWS_PART_SIZE: Setting<"natural"> = {
  key: "AWS_PART_SIZE",
  kind: "natural",
  unit: "MiB",
  help: "Size of the parts of an upload, from 5 to 5120. 0 or unset: chosen from the archive's expected size.",
  check: (size) =>
    size === 0 || (size >= 5 && size <= 5120) ? undefined : "must be from 5 to 5120 (MiB), or 0 for the best size",
};

export const AWS_REGION: Setting<"text"> = {
  key: "AWS_REGION",
  kind: "text",
  isNew: true,
  help: "Region of the bucket. Unset: `us-east-1`, or what the endpoint's name says.",
};

export const AWS_FORCE_PATH_STYLE: Setting<"boolean"> = {
  key: "AWS_FORCE_PATH_STYLE",
  kind: "boolean",
  isNew: true,
  help: "Whether the bucket's name is part of the path (`true`) or of the host name (`false`). Unset: the path, but for Amazon's own endpoints.",
};

export const AWS_SSE: Setting<"choice"> = {
  key: "AWS_SSE",
  kind: "choice",
  allowed: ["AES256", "aws:kms", "aws:kms:dsse"],
  isNew: true,
  help: "Encryption that the store applies to archives.",
};

export const AWS_SSE_KMS_KEY_ID: Setting<"text"> = {
  key: "AWS_SSE_KMS_KEY_ID",
  kind: "text",
  secret: true,
  isNew: true,
  help: "Key that the store encrypts with when `AWS_SSE` is one of the `aws:kms` kinds.",
};

export const s3Settings: PartSettings = {
  part: "s3",
  title: "S3",
  settings: [
    AWS_S3_BUCKET_NAME,
    AWS_S3_PATH,
    AWS_ENDPOINT,
    AWS_ENDPOINT_PROTO,
    AWS_ENDPOINT_INSECURE,
    AWS_ENDPOINT_CA_CERT,
    AWS_REGION,
    AWS_FORCE_PATH_STYLE,
    AWS_ACCESS_KEY_ID,
    AWS_SECRET_ACCESS_KEY,
    AWS_SESSION_TOKEN,
    AWS_IAM_ROLE_ENDPOINT,
    AWS_STORAGE_CLASS,
    AWS_PART_SIZE,
    AWS_SSE,
    AWS_SSE_KMS_KEY_ID,
  ],
  isConfigured,
  rules,
  target: (values) =>
    `${values.get(AWS_ENDPOINT)}/${values.get(AWS_S3_BUCKET_NAME) ?? ""}/${values.get(AWS_S3_PATH) ?? ""}`,
};

function checkEndpoint(host: string): string | undefined {
  if (host.includes("://")) return "must be a host name without a scheme; the scheme goes into AWS_ENDPOINT_PROTO";
  return URL.canParse(`https://${host.trim()}`) && !/[\s@?#]/.test(host.trim())
    ? undefined
    : "must be a host name, with :port where needed";
}

function isConfigured(values: Values): boolean {
  return values.isSet(AWS_S3_BUCKET_NAME);
}

function rules(values: Values): readonly RuleBreak[] {
  if (!isConfigured(values)) return [];
  const breaks: RuleBreak[] = [];
  if (values.isSet(AWS_ACCESS_KEY_ID) !== values.isSet(AWS_SECRET_ACCESS_KEY)) {
    const [present, missing] = values.isSet(AWS_ACCESS_KEY_ID)
      ? [AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY]
      : [AWS_SECRET_ACCESS_KEY, AWS_ACCESS_KEY_ID];
    breaks.push({ key: present.key, severity: "error", message: `needs ${missing.key} as well` });
  }
  if (values.isSet(AWS_SESSION_TOKEN) && !values.isSet(AWS_ACCESS_KEY_ID)) {
    breaks.push({
      key: AWS_SESSION_TOKEN.key,
      severity: "warning",
      message: `is not used without ${AWS_ACCESS_KEY_ID.key} and ${AWS_SECRET_ACCESS_KEY.key}`,
    });
  }
  if (values.isSet(AWS_SSE_KMS_KEY_ID) && !(values.get(AWS_SSE) ?? "").startsWith("aws:kms")) {
    breaks.push({
      key: AWS_SSE_KMS_KEY_ID.key,
      severity: "error",
      message: `needs ${AWS_SSE.key} to be aws:kms or aws:kms:dsse`,
    });
  }
  return breaks;
}
