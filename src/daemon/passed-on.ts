const ORDINARY = ["PATH", "HOME", "TZ", "LANG", "LC_ALL", "HOSTNAME", "TMPDIR", "TERM", "NO_COLOR"];

/** What Node.js and OpenSSL trust besides the usual authorities. */
const AUTHORITIES = ["NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "SSL_CERT_DIR"];

/** Whom this machine, task or pod is at AWS: the SDK's default chain, and `AWS_IAM_ROLE_ENDPOINT`. */
const AWS = [
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_STS_REGIONAL_ENDPOINTS",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
  "AWS_EC2_METADATA_DISABLED",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
];

/** And at Azure: a managed identity. */
const AZURE = [
  "AZURE_CLIENT_ID",
  "AZURE_TENANT_ID",
  "AZURE_AUTHORITY_HOST",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_POD_IDENTITY_AUTHORITY_HOST",
  "IDENTITY_ENDPOINT",
  "IDENTITY_HEADER",
];

/** In either case, as programs read them. */
const PROXIES = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"];

const NAMES = new Set([...ORDINARY, ...AUTHORITIES, ...AWS, ...AZURE]);

/**
 * Of the daemon's environment only this reaches a child. No setting is among it: a child gets those, and the secrets in them,
 * through its standard input. Beside it stands what the platform tells its programs, which nobody else hands on.
 */
export function isPassedOn(key: string): boolean {
  return NAMES.has(key) || PROXIES.includes(key.toUpperCase());
}
