import { UserError } from "../lib/errors.ts";
import { readSmallFile } from "./read-file.ts";

const BEGIN = "-----BEGIN ";
const BEGIN_CERTIFICATE = "-----BEGIN CERTIFICATE-----";
const END_CERTIFICATE = "-----END CERTIFICATE-----";

export interface PemText {
  readonly text: string;
  /** The file it was read from; absent for inline text. */
  readonly path?: string;
}

/**
 * Certificates given as PEM text (with `\n` for line breaks where one line had to do) or as a path to such a file.
 * @throws UserError for an unreadable file or a certificate that can't be read; never quotes the value
 */
export async function loadCertificates(value: string): Promise<PemText> {
  if (value.includes(BEGIN)) {
    const text = value.includes("\n") ? value : value.replaceAll(String.raw`\n`, "\n");
    await proveCertificates(text);
    return { text };
  }
  let text: string;
  try {
    text = readSmallFile(value).toString("utf8");
  } catch (error) {
    const why = error instanceof UserError ? error.message : "it can't be read";
    throw new UserError(`must be PEM text or the path of a PEM file, but the file can't be used: ${why}`, {
      cause: error,
    });
  }
  await proveCertificates(text);
  return { text, path: value };
}

async function proveCertificates(text: string): Promise<void> {
  const blocks = text
    .split(BEGIN_CERTIFICATE)
    .slice(1)
    .map((rest) => rest.split(END_CERTIFICATE, 2));
  if (blocks.length === 0)
    throw new UserError("holds no certificate (nothing between BEGIN CERTIFICATE and END CERTIFICATE)");
  if (blocks.some(({ length }) => length < 2)) {
    throw new UserError("holds a certificate that is cut off (a BEGIN CERTIFICATE without its END CERTIFICATE)");
  }
  // Loaded only where a job has certificates: the daemon of most jobs never needs it.
  const { X509Certificate } = await import("node:crypto");
  for (const [index, [body = ""]] of blocks.entries()) {
    try {
      void new X509Certificate(`${BEGIN_CERTIFICATE}${body}${END_CERTIFICATE}\n`);
    } catch (error) {
      throw new UserError(
        `certificate ${index + 1} of ${blocks.length} can't be read: it is damaged or not a certificate`,
        { cause: error },
      );
    }
  }
}
