/** Text for the bench trees that compresses as a site's does: real source code of the installed packages, and tables made of its words. */
import { readFileSync, readdirSync } from "node:fs";
import path from "node:path";

const PACKAGES = path.join(import.meta.dirname, "../node_modules");
/** Pinned by package-lock.json, and much larger than any compressor's window. */
const CODE_FROM = ["@azure", "@aws-sdk", "@smithy", "better-sqlite3", "re2js", "mqtt", "mqtt", "nodemailer", "undici"];
const CODE_BYTES = 12_000_000;

let corpus: Buffer | undefined;

/** About 12 MB of JavaScript, TypeScript and Markdown, always in the same order. */
function readCorpus(): Buffer {
  if (corpus !== undefined) return corpus;
  const pieces: Buffer[] = [];
  for (const name of CODE_FROM) {
    const folder = path.join(PACKAGES, name);
    let bytes = 0;
    for (const file of readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted()) {
      if (!/(?<!\.min)\.(?:js|ts|md)$/.test(file) || bytes > CODE_BYTES / CODE_FROM.length) continue;
      const content = readFileSync(path.join(folder, file));
      pieces.push(content);
      bytes += content.length;
    }
  }
  corpus = Buffer.concat(pieces);
  return corpus;
}

export interface Code {
  /** Another plugin: code from elsewhere. */
  moveOn(): void;
  file(kind: string, bytes: number): Buffer;
}

/** Source files: long stretches of real code, file after file in the packages' own order, as a plugin's files resemble each other. */
export function createCode(random: () => number): Code {
  const source = readCorpus();
  let at = 0;
  return {
    moveOn() {
      at = Math.floor(random() * source.length);
    },
    file(kind, bytes) {
      const content = Buffer.allocUnsafe(bytes);
      let filled = content.write(kind === "php" ? "<?php\n" : "/* site */\n");
      while (filled < bytes) {
        if (at >= source.length) at = 0;
        const copied = source.copy(content, filled, at, at + bytes - filled);
        at += copied;
        filled += copied;
      }
      return content;
    },
  };
}

export interface Words {
  word(): string;
  sentence(words: number): string;
}

/** Words of real texts, the frequent ones often. */
export function createWords(random: () => number): Words {
  const known = [
    ...new Set(
      readCorpus()
        .subarray(0, 3_000_000)
        .toString("latin1")
        .match(/[a-z]{3,12}/gi),
    ),
  ].slice(0, 9_000);
  const word = (): string => known[Math.floor(random() ** 3 * known.length)] ?? "word";
  return {
    word: () => word().toLowerCase(),
    sentence: (words) => `${Array.from({ length: words }, word).join(" ")}.`,
  };
}

const META_KEYS = [
  "_wp_attachment_metadata",
  "_edit_lock",
  "_elementor_data",
  "_yoast_wpseo_metadesc",
  "_menu_item_url",
];

export interface Rows {
  sql(bytes: number): Buffer;
  log(bytes: number): Buffer;
}

export function createRows(random: () => number, words: Words): Rows {
  const integer = (below: number): number => Math.floor(random() * below);
  const lines = (bytes: number, line: (at: number) => string): Buffer => {
    const made: string[] = [];
    for (let length = 0, at = 0; length < bytes; at += 1) {
      const text = line(at);
      made.push(text);
      length += text.length;
    }
    return Buffer.from(made.join(""), "latin1");
  };
  const time = (at: number): string =>
    new Date(1_767_225_600_000 + at * 61_000).toISOString().slice(0, 19).replace("T", " ");
  return {
    sql: (bytes) =>
      lines(bytes, (at) => {
        if (at % 8 === 0) {
          return `INSERT INTO \`wp_posts\` VALUES (${at},${integer(40)},'${time(at)}','${time(at)}','<!-- wp:paragraph -->\\n<p>${words.sentence(20 + integer(120))}</p>\\n<!-- /wp:paragraph -->','${words.sentence(4)}','','publish','open','closed','','${words.word()}-${words.word()}','','','${time(at)}','${time(at)}','',0,'https://site.example/?p=${at}',0,'post','',${integer(9)});\n`;
        }
        const key = META_KEYS[integer(META_KEYS.length)];
        const name = `2025/${String(1 + integer(12)).padStart(2, "0")}/image-${integer(999)}`;
        const sizes = ["medium", "large", "thumbnail"].map(
          (size) =>
            `s:${size.length}:"${size}";a:4:{s:4:"file";s:22:"${name}-${size}.jpg";s:5:"width";i:${integer(1_200)};s:6:"height";i:${integer(900)};s:9:"mime-type";s:10:"image/jpeg";}`,
        );
        return `INSERT INTO \`wp_postmeta\` VALUES (${at * 3},${integer(90_000)},'${key}','a:5:{s:5:"width";i:${integer(2_000)};s:6:"height";i:${integer(1_500)};s:4:"file";s:20:"${name}.jpg";s:5:"sizes";a:3:{${sizes.join("")}}}');\n`;
      }),
    log: (bytes) =>
      lines(
        bytes,
        (at) =>
          `${integer(255)}.${integer(255)}.${integer(255)}.${integer(255)} - - [${time(at)}] "GET /${words.word()}/${words.word()}/?p=${integer(90_000)} HTTP/1.1" ${random() < 0.9 ? 200 : 404} ${integer(90_000)} "-" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"\n`,
      ),
  };
}
