import type { Values } from "../../contracts/setting.ts";
import { DestinationError } from "../../lib/errors.ts";
import { createRedactor, type Redactor } from "../../lib/redact.ts";
import { folderOf } from "../folder.ts";
import {
  AZURE_STORAGE_ACCESS_TIER,
  AZURE_STORAGE_ACCOUNT_NAME,
  AZURE_STORAGE_CONNECTION_STRING,
  AZURE_STORAGE_CONTAINER_NAME,
  AZURE_STORAGE_ENDPOINT,
  AZURE_STORAGE_PATH,
  AZURE_STORAGE_PRIMARY_ACCOUNT_KEY,
} from "./settings.ts";

export interface AzureOptions {
  readonly container: string;
  /** Name prefix without slashes at its ends; empty: the container's root. */
  readonly folder: string;
  /** Address of the service, without a slash at its end. */
  readonly address: string;
  readonly credentials: AzureCredentials;
  readonly tier?: string;
  readonly redact: Redactor;
}

export type AzureCredentials =
  | { readonly kind: "key"; readonly account: string; readonly key: string }
  /** A shared access signature: a query without the question mark. */
  | { readonly kind: "sas"; readonly query: string }
  | { readonly kind: "identity" };

/** What a job's settings ask for. Reads nothing but the settings. Throws `invalid` for what is no connection string. */
export function azureOptionsFrom(values: Values): AzureOptions {
  const account = (values.get(AZURE_STORAGE_ACCOUNT_NAME) ?? "").trim();
  const key = values.get(AZURE_STORAGE_PRIMARY_ACCOUNT_KEY)?.trim();
  const connectionString = values.get(AZURE_STORAGE_CONNECTION_STRING)?.trim();
  const given = connectionString === undefined ? {} : parseConnectionString(connectionString);
  // Without this the managed identity would be asked, which is not what the user meant.
  if (connectionString !== undefined && given.key === undefined && given.sas === undefined) {
    throw new DestinationError(
      "invalid",
      "AZURE_STORAGE_CONNECTION_STRING holds neither AccountKey=… nor SharedAccessSignature=…",
      { hint: "copy it whole from the portal, under Access keys; in an env file single quotes keep it as it is" },
    );
  }
  const tier = values.get(AZURE_STORAGE_ACCESS_TIER);
  const container = (values.get(AZURE_STORAGE_CONTAINER_NAME) ?? "").trim();
  const address = serviceAt(
    given.address ?? endpointOf(values.get(AZURE_STORAGE_ENDPOINT), account),
    account,
    container,
  );
  const credentials = credentialsFrom(given.account ?? account, given.key ?? key, given.sas);
  if (credentials.kind === "identity" && !address.startsWith("https:")) {
    throw new DestinationError("invalid", "tokens of a managed identity are only sent over https", {
      hint: "AZURE_STORAGE_ENDPOINT must be an https address, or set AZURE_STORAGE_PRIMARY_ACCOUNT_KEY",
    });
  }
  const secrets = [key, connectionString, given.key, given.sas, signatureOf(given.sas ?? key ?? "")];
  return {
    container,
    folder: folderOf(values.get(AZURE_STORAGE_PATH) ?? ""),
    address,
    credentials,
    ...(tier === undefined ? {} : { tier }),
    redact: createRedactor(secrets.filter((secret) => secret !== undefined)),
  };
}

/**
 * Without a slash at the end, and without the container's name, in which the portal's address of a signature for one
 * container ends. An emulator's address may end in the account's name.
 */
function serviceAt(text: string, account: string, container: string): string {
  const address = text.replace(/\/+$/, "");
  if (!/^https?:\/\/[^/]/.test(address) || !URL.canParse(address)) {
    throw new DestinationError(
      "invalid",
      "the endpoint in AZURE_STORAGE_CONNECTION_STRING is no http or https address",
      {
        hint: "copy it whole from the portal, under Access keys",
      },
    );
  }
  const isOfContainer = container !== account && new URL(address).pathname.endsWith(`/${container}`);
  return isOfContainer ? address.slice(0, -container.length - 1) : address;
}

function credentialsFrom(account: string, key: string | undefined, sas: string | undefined): AzureCredentials {
  if (sas !== undefined) return { kind: "sas", query: withoutMark(sas) };
  if (key === undefined) return { kind: "identity" };
  return isSignature(key) ? { kind: "sas", query: withoutMark(key) } : { kind: "key", account, key };
}

interface ConnectionString {
  readonly account?: string;
  readonly key?: string;
  readonly sas?: string;
  readonly address?: string;
}

/** `Name=value;…` as the portal shows it, or an address with a shared access signature. */
function parseConnectionString(text: string): ConnectionString {
  if (/^https?:\/\//.test(text)) return addressAndSignature(text);
  if (!/;|^(?:sharedaccesssignature|blobendpoint)=/i.test(text) && isSignature(text)) return { sas: text };
  const fields = new Map<string, string>();
  for (const field of text.split(";")) {
    const at = field.indexOf("=");
    if (at > 0) fields.set(field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim());
  }
  if (fields.get("usedevelopmentstorage")?.toLowerCase() === "true") {
    const host = fields.get("developmentstorageproxyuri")?.replace(/\/+$/, "") ?? "http://127.0.0.1";
    return { ...DEVELOPMENT, address: `${host}:10000/${DEVELOPMENT.account}` };
  }
  const account = fields.get("accountname");
  const key = fields.get("accountkey");
  const endpoint = addressAndSignature(fields.get("blobendpoint") ?? "");
  const sas = fields.get("sharedaccesssignature") ?? endpoint.sas;
  const protocol = fields.get("defaultendpointsprotocol") ?? "https";
  const suffix = fields.get("endpointsuffix") ?? "core.windows.net";
  const address = endpoint.address ?? (account === undefined ? undefined : `${protocol}://${account}.blob.${suffix}`);
  return {
    ...(account === undefined ? {} : { account }),
    ...(key === undefined ? {} : { key }),
    ...(sas === undefined ? {} : { sas }),
    ...(address === undefined ? {} : { address }),
  };
}

function addressAndSignature(text: string): Pick<ConnectionString, "address" | "sas"> {
  const [address = "", sas = ""] = text.split("?");
  return { ...(address === "" ? {} : { address }), ...(sas === "" ? {} : { sas }) };
}

/** What every emulator accepts; published by Microsoft. */
const DEVELOPMENT = {
  account: "devstoreaccount1",
  key: "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",
};

/** `{{ .AccountName }}` as Go's templates write it, with the dashes that trim blanks. */
function endpointOf(template: string, account: string): string {
  return template.replaceAll(/\{\{(?:-\s)?\s*\.AccountName\s*(?:\s-)?\}\}/g, account);
}

function isSignature(text: string): boolean {
  return /(?:^\??|&)sig=/.test(text);
}

function withoutMark(query: string): string {
  return query.replace(/^\?/, "");
}

function signatureOf(sas: string): string | undefined {
  return isSignature(sas) ? (new URLSearchParams(withoutMark(sas)).get("sig") ?? undefined) : undefined;
}
