import { numberedKey } from "../lib/numbered-settings.ts";
import type { Catalogue } from "./parts.ts";

/** Variables of other programs that begin as ours do. */
const FOREIGN = new Set([
  "AWS_DEFAULT_REGION",
  "AWS_PROFILE",
  "AWS_DEFAULT_PROFILE",
  "AWS_ROLE_ARN",
  "AWS_ROLE_SESSION_NAME",
  "AWS_WEB_IDENTITY_TOKEN_FILE",
  "AWS_CONFIG_FILE",
  "AWS_SHARED_CREDENTIALS_FILE",
  "AWS_CA_BUNDLE",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_S3",
  "AWS_EXECUTION_ENV",
  "AWS_CONTAINER_CREDENTIALS_FULL_URI",
  "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
  "AWS_CONTAINER_AUTHORIZATION_TOKEN",
  "AWS_EC2_METADATA_DISABLED",
  "AWS_EC2_METADATA_SERVICE_ENDPOINT",
  "AWS_MAX_ATTEMPTS",
  "AWS_RETRY_MODE",
  "AWS_PAGER",
  "AWS_OUTPUT",
  "AWS_STS_REGIONAL_ENDPOINTS",
  "AWS_USE_DUALSTACK_ENDPOINT",
  "AWS_USE_FIPS_ENDPOINT",
  "AWS_SDK_LOAD_CONFIG",
  "AZURE_TENANT_ID",
  "AZURE_CLIENT_ID",
  "AZURE_CLIENT_SECRET",
  "AZURE_AUTHORITY_HOST",
  "AZURE_FEDERATED_TOKEN_FILE",
  "AZURE_STORAGE_KEY",
  "AZURE_STORAGE_ACCOUNT",
  "AZURE_STORAGE_SAS_TOKEN",
  "AZURE_STORAGE_AUTH_MODE",
  "AZURE_CONFIG_DIR",
  "SSH_AUTH_SOCK",
  "SSH_AGENT_PID",
  "SSH_CONNECTION",
  "SSH_CLIENT",
  "SSH_TTY",
  "SSH_ASKPASS",
  "SSH_ASKPASS_REQUIRE",
  "SSH_ORIGINAL_COMMAND",
  "GPG_TTY",
  "GPG_AGENT_INFO",
  "DOCKER_CONFIG",
  "DOCKER_CONTEXT",
  "DOCKER_API_VERSION",
  "DOCKER_CERT_PATH",
  "DOCKER_TLS_VERIFY",
  "DOCKER_BUILDKIT",
  "GOOGLE_APPLICATION_CREDENTIALS",
  "GOOGLE_CLOUD_PROJECT",
]);

const PREFIXES = [
  "BACKUP_",
  "AWS_",
  "WEBDAV_",
  "SSH_",
  "AZURE_STORAGE_",
  "DROPBOX_",
  "GOOGLE_DRIVE_",
  "NOTIFICATION_",
  "EMAIL_",
  "GPG_",
  "AGE_",
  "GZIP_",
  "LOCK_",
  "EXEC_",
  "SPOOL_",
];

/**
 * The declared key that an unknown one is a misspelling of, or undefined where it looks like a variable of the user's
 * own. In the environment, which is full of other programs' variables, only close misspellings of our prefixes count.
 */
export function nearestKey(key: string, catalogue: Catalogue, where: "file" | "environment"): string | undefined {
  if (isSetting(key, catalogue) || FOREIGN.has(key)) return undefined;
  const numbered = misplacedNumber(key, catalogue);
  if (numbered !== undefined) return numbered;
  const withoutFile = key.endsWith("_FILE") ? key.slice(0, -"_FILE".length) : undefined;
  if (withoutFile !== undefined) {
    const base = nearestOf(withoutFile, catalogue, where);
    if (base !== undefined) return `${base}_FILE`;
  }
  return nearestOf(key, catalogue, where);
}

/** `AWS_S3_BUCKET_NAME_2`, `SSH2_HOST_NAME`, `WEBDAV_1_URL`: a number that belongs elsewhere, or nowhere. */
function misplacedNumber(key: string, catalogue: Catalogue): string | undefined {
  for (const { index, 0: found, 1: digits = "" } of key.matchAll(/_?([0-9]{1,2})(?=_|$)/g)) {
    const plain = `${key.slice(0, index)}${key.slice(index + found.length)}`;
    if (!plain.includes("_") || !isSetting(numberedKey(plain, 2), catalogue)) continue;
    const meant = Number(digits) < 2 ? plain : numberedKey(plain, Number(digits));
    return isSetting(meant, catalogue) ? meant : undefined;
  }
  return undefined;
}

function isSetting(key: string, catalogue: Catalogue): boolean {
  return catalogue.find(key) !== undefined || catalogue.findByFileKey(key) !== undefined;
}

function nearestOf(key: string, catalogue: Catalogue, where: "file" | "environment"): string | undefined {
  const wanted = key.toUpperCase().replaceAll(/[-. ]/g, "_");
  const ours = PREFIXES.some((prefix) => wanted.startsWith(prefix));
  if (where === "environment" && !ours) return undefined;
  let best: string | undefined;
  let bestDistance = mostTypos(wanted) + 1;
  for (const { key: known } of catalogue.settings) {
    if (Math.abs(known.length - wanted.length) >= bestDistance) continue;
    const distance = editDistance(wanted, known);
    if (distance < bestDistance) [best, bestDistance] = [known, distance];
  }
  if (best !== undefined || where === "environment" || !ours) return best;
  return shortestExtension(wanted, catalogue);
}

/** Short names are easily near by chance (`USER`, `TZ`), so they must be nearer. */
function mostTypos(key: string): number {
  return key.length < 6 ? 0 : key.length < 12 ? 1 : key.length < 20 ? 2 : 3;
}

/** `SSH_HOST` -> `SSH_HOST_NAME`: all its words appear, in order, in a known key. */
function shortestExtension(wanted: string, catalogue: Catalogue): string | undefined {
  const words = wanted.split("_");
  if (words.length < 2 || words.some((word) => word.length < 2 && !/^[0-9]$/.test(word))) return undefined;
  const fitting = catalogue.settings
    .map((setting) => setting.key)
    .filter((known) => containsInOrder(known.split("_"), words));
  return fitting.toSorted((a, b) => a.length - b.length)[0];
}

function containsInOrder(known: readonly string[], words: readonly string[]): boolean {
  let at = 0;
  for (const part of known) if (at < words.length && part.startsWith(words[at] ?? "")) at += 1;
  return at === words.length;
}

/** Insertions, deletions, substitutions and swaps of neighbours. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (beforeLast[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? a.length;
}
