/** Which region requests are signed for, and how sure that is. */
export interface Region {
  readonly name: string;
  /** Set by the user: never replaced by what the store says. */
  readonly isGiven: boolean;
}

/** Where providers put the region into the host name. Most others ignore the region or accept `us-east-1`. */
const REGION_IN_HOST: readonly RegExp[] = [
  /^s3[.-](?:dualstack\.|fips\.)?([a-z]{2}(?:-[a-z]+)+-\d+)\.amazonaws\.com(?:\.cn)?$/,
  /^s3\.([a-z0-9-]+)\.(?:wasabisys|backblazeb2|scw|idrivee2|ionoscloud|io\.cloud\.ovh|cloud\.ovh)\.[a-z.]+$/,
  /^s3\.([a-z]{2}-[a-z]+-\d+)\.[a-z0-9.-]+$/,
  /^([a-z]{2,3}\d?)\.(?:digitaloceanspaces|your-objectstorage)\.com$/,
  /^([a-z]{2}-[a-z]+-\d+)\.linodeobjects\.com$/,
  /^sos-([a-z]{2}-[a-z]+-\d+)\.exo\.io$/,
];
/** Providers that have one region with a name of its own. */
const ONE_REGION: readonly (readonly [RegExp, string])[] = [
  [/\.r2\.cloudflarestorage\.com$/, "auto"],
  [/^storage\.googleapis\.com$/, "auto"],
];
const DEFAULT_REGION = "us-east-1";
const AMAZON = /(?:^|\.)amazonaws\.com(?:\.cn)?$/;

export function isAmazon(host: string): boolean {
  return AMAZON.test(nameOf(host));
}

export function isCloudflareR2(host: string): boolean {
  return nameOf(host).endsWith(".r2.cloudflarestorage.com");
}

/** Scaleway takes 1,000 parts of an upload, all others 10,000. */
export function maxPartsOf(host: string): number {
  return nameOf(host).endsWith(".scw.cloud") ? 1_000 : 10_000;
}

export function regionOf(host: string, given: string | undefined): Region {
  if (given !== undefined) return { name: given.trim(), isGiven: true };
  const name = nameOf(host);
  const found = REGION_IN_HOST.map((pattern) => pattern.exec(name)?.[1]).find((region) => region !== undefined);
  const only = ONE_REGION.find(([pattern]) => pattern.test(name))?.[1];
  return { name: found ?? only ?? DEFAULT_REGION, isGiven: false };
}

/** The address that requests go to: Amazon's general name becomes that of the region. */
export function addressOf(host: string, isHttps: boolean, region: string): string {
  const name = nameOf(host);
  const general = name === "s3.amazonaws.com" && region !== DEFAULT_REGION;
  const end = region.startsWith("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  return `${isHttps ? "https" : "http"}://${general ? `s3.${region}.${end}` : host}`;
}

function nameOf(host: string): string {
  return host
    .toLowerCase()
    .replace(/[/].*$/, "")
    .replace(/:\d+$/, "");
}
