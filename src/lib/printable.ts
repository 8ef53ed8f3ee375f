/** Shows bytes of a path as text: UTF-8 where it is, `\xNN` for bytes that are not, control characters escaped. */
export function printablePath(bytes: Uint8Array | string): string {
  const buffer =
    typeof bytes === "string" ? Buffer.from(bytes) : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const text = buffer.toString("utf8");
  if (!text.includes("\uFFFD")) return escapeControls(text);
  let out = "";
  for (let at = 0; at < buffer.length;) {
    const length = utf8Length(buffer, at);
    if (length === 0) {
      out += `\\x${(buffer[at] ?? 0).toString(16).padStart(2, "0")}`;
      at += 1;
    } else {
      out += buffer.toString("utf8", at, at + length);
      at += length;
    }
  }
  return escapeControls(out);
}

function escapeControls(text: string): string {
  // oxlint-disable-next-line no-control-regex -- control characters in names must not reach a terminal
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g, (c) => {
    if (c === "\n") return "\\n";
    if (c === "\t") return "\\t";
    if (c === "\r") return "\\r";
    return `\\u{${c.codePointAt(0)?.toString(16) ?? "0"}}`;
  });
}

/** Length of the valid UTF-8 sequence at `at`, or 0. */
function utf8Length(buffer: Buffer, at: number): number {
  const lead = buffer[at] ?? 0;
  const length =
    lead < 0x80
      ? 1
      : lead >= 0xc2 && lead < 0xe0
        ? 2
        : lead >= 0xe0 && lead < 0xf0
          ? 3
          : lead >= 0xf0 && lead < 0xf5
            ? 4
            : 0;
  if (length === 0 || at + length > buffer.length) return 0;
  return buffer.toString("utf8", at, at + length).includes("\uFFFD") ? 0 : length;
}
