import { ApiError } from "./dropbox-fake-errors.ts";
import { checkPath, type FakeFile, type FakeSession, type FakeStore } from "./dropbox-fake-store.ts";

const BLOCK_BYTES = 4 * 1024 * 1024;
const MOST_BYTES_PER_CALL = 150 * 1024 * 1024;

export interface RouteCall {
  readonly arg: Readonly<Record<string, unknown>>;
  readonly body: AsyncIterable<Buffer>;
  readonly store: FakeStore;
  readonly range: string | undefined;
  readonly pageSize: number;
  /** What may still be committed, over all files. */
  readonly quotaBytes: number;
  /** Stores one byte wrong. */
  readonly isCorrupting: boolean;
}

export type RouteAnswer =
  | { readonly kind: "json"; readonly body: unknown }
  | {
      readonly kind: "file";
      readonly file: FakeFile;
      readonly start: number;
      readonly end: number;
      readonly status: number;
    };

export interface Route {
  readonly scope: string;
  readonly style: "rpc" | "content";
  /** Arguments that the route knows; any other is refused, as Dropbox does. */
  readonly args: readonly string[];
  run(call: RouteCall): Promise<RouteAnswer>;
}

const json = (body: unknown): RouteAnswer => ({ kind: "json", body });

/** Every route that the fake knows, by path below `/2/`. */
export const ROUTES: Readonly<Record<string, Route>> = {
  "files/upload_session/start": {
    scope: "files.content.write",
    style: "content",
    args: ["close", "session_type", "content_hash"],
    async run({ arg, body, store }) {
      const isConcurrent = tagOf(arg["session_type"]) === "concurrent";
      if (isConcurrent && arg["close"] === true) throw ApiError.tagged("concurrent_session_close_not_allowed");
      const session = store.begin(isConcurrent);
      const sizeBytes = await store.write(session, 0, limited(body));
      if (isConcurrent && sizeBytes > 0) throw ApiError.tagged("concurrent_session_data_not_allowed");
      if (sizeBytes > 0) session.pieces.push([0, sizeBytes]);
      if (arg["close"] === true) session.closedAt = sizeBytes;
      return json({ session_id: session.id });
    },
  },
  "files/upload_session/append_v2": {
    scope: "files.content.write",
    style: "content",
    args: ["cursor", "close", "content_hash"],
    async run({ arg, body, store }) {
      const { session, offset } = cursorOf(arg["cursor"], store, []);
      const isClosing = arg["close"] === true;
      if (session.closedAt !== undefined && !session.isConcurrent) throw ApiError.tagged("closed");
      if (session.isConcurrent && offset % BLOCK_BYTES !== 0)
        throw ApiError.tagged("concurrent_session_invalid_offset");
      const held = store.sizeOf(session);
      if (!session.isConcurrent && offset !== held) throw ApiError.with({ correct_offset: held }, "incorrect_offset");
      if (session.closedAt !== undefined && offset >= session.closedAt && session.closedAt > 0 && !isClosing)
        throw ApiError.tagged("closed");
      const sizeBytes = await store.write(session, offset, limited(body));
      if (session.isConcurrent && !isClosing && sizeBytes % BLOCK_BYTES !== 0)
        throw ApiError.tagged("concurrent_session_invalid_data_size");
      // The same piece again is no mistake: its answer may have been lost.
      const isThere = session.pieces.some(([start, end]) => start === offset && end === offset + sizeBytes);
      if (!isThere && sizeBytes > 0) session.pieces.push([offset, offset + sizeBytes]);
      if (isClosing) session.closedAt = offset + sizeBytes;
      return json(null);
    },
  },
  "files/upload_session/finish": {
    scope: "files.content.write",
    style: "content",
    args: ["cursor", "commit", "content_hash"],
    async run({ arg, body, store, quotaBytes, isCorrupting }) {
      const { session, offset } = cursorOf(arg["cursor"], store, ["lookup_failed"]);
      const last = await store.write(session, offset, limited(body));
      if (last > 0) {
        if (session.isConcurrent) throw ApiError.tagged("concurrent_session_data_not_allowed");
        session.pieces.push([offset, offset + last]);
      }
      if (session.isConcurrent && session.closedAt === undefined)
        throw ApiError.tagged("concurrent_session_not_closed");
      if (store.hasGaps(session)) throw ApiError.tagged("concurrent_session_missing_data");
      const held = store.sizeOf(session);
      if (held !== offset + last) throw ApiError.with({ correct_offset: held }, "lookup_failed", "incorrect_offset");
      if (held > quotaBytes) throw ApiError.write("insufficient_space");
      if (isCorrupting) await store.write(session, 0, once(Buffer.from([0x5a])));
      const commit = objectOf(arg["commit"]);
      const mode = tagOf(commit["mode"]) ?? "add";
      const file = await store.commit(session, textOf(commit["path"]), mode, commit["strict_conflict"] === true);
      session.isFinished = true;
      store.sessions.delete(session.id);
      return json(metadataOf(file));
    },
  },
  "files/list_folder": {
    scope: "files.metadata.read",
    style: "rpc",
    args: [
      "path",
      "recursive",
      "include_media_info",
      "include_deleted",
      "include_has_explicit_shared_members",
      "include_mounted_folders",
      "limit",
      "shared_link",
      "include_property_groups",
      "include_non_downloadable_files",
    ],
    async run({ arg, store, pageSize }) {
      const path = textOf(arg["path"]);
      if (path === "/")
        throw ApiError.badCall(
          "files/list_folder",
          'request body: path: Specify the root folder as an empty string rather than as "/".',
        );
      checkPath(path, true);
      const key = path.toLowerCase();
      if (store.files.has(key)) throw ApiError.tagged("path", "not_folder");
      if (path !== "" && !store.folders.has(key)) throw ApiError.tagged("path", "not_found");
      const limit = typeof arg["limit"] === "number" ? arg["limit"] : pageSize;
      const cursor = { key, recursive: arg["recursive"] === true, at: 0, limit: Math.min(limit, pageSize) };
      return json(page(store, cursor));
    },
  },
  "files/list_folder/continue": {
    scope: "files.metadata.read",
    style: "rpc",
    args: ["cursor"],
    async run({ arg, store }) {
      try {
        const cursor = JSON.parse(Buffer.from(textOf(arg["cursor"]), "base64url").toString()) as Cursor;
        return json(page(store, cursor));
      } catch {
        throw ApiError.tagged("reset");
      }
    },
  },
  "files/get_metadata": {
    scope: "files.metadata.read",
    style: "rpc",
    args: ["path", "include_media_info", "include_deleted", "include_has_explicit_shared_members"],
    async run({ arg, store }) {
      const file = store.files.get(textOf(arg["path"]).toLowerCase());
      if (file === undefined) throw ApiError.tagged("path", "not_found");
      return json({ ".tag": "file", ...metadataOf(file) });
    },
  },
  "files/delete_v2": {
    scope: "files.content.write",
    style: "rpc",
    args: ["path", "parent_rev"],
    async run({ arg, store }) {
      const path = textOf(arg["path"]);
      const removed = store.remove(path);
      if (removed === undefined) throw ApiError.tagged("path_lookup", "not_found");
      const metadata = typeof removed === "string" ? folderOf(removed) : { ".tag": "file", ...metadataOf(removed) };
      return json({ metadata });
    },
  },
  "files/download": {
    scope: "files.content.read",
    style: "content",
    args: ["path", "rev"],
    async run({ arg, store, range }) {
      const path = textOf(arg["path"]);
      const file = path.startsWith("rev:")
        ? [...store.files.values()].find((entry) => `rev:${entry.rev}` === path)
        : store.files.get(path.toLowerCase());
      if (file === undefined)
        throw ApiError.tagged("path", store.folders.has(path.toLowerCase()) ? "not_file" : "not_found");
      if (range === undefined) return { kind: "file", file, start: 0, end: file.sizeBytes, status: 200 };
      const [, from = "", to = ""] = /^bytes=(\d*)-(\d*)$/.exec(range) ?? [];
      const start = from === "" ? Math.max(0, file.sizeBytes - Number(to)) : Number(from);
      const end = from === "" || to === "" ? file.sizeBytes : Math.min(file.sizeBytes, Number(to) + 1);
      if (start >= file.sizeBytes) return { kind: "file", file, start: 0, end: 0, status: 416 };
      return { kind: "file", file, start, end, status: 206 };
    },
  },
};

interface Cursor {
  readonly key: string;
  readonly recursive: boolean;
  readonly at: number;
  readonly limit: number;
}

function page(store: FakeStore, cursor: Cursor): unknown {
  const isBelow = (key: string): boolean =>
    key.startsWith(`${cursor.key}/`) && (cursor.recursive || !key.slice(cursor.key.length + 1).includes("/"));
  const entries = [
    ...[...store.folders].filter(([key]) => isBelow(key)).map(([, path]) => folderOf(path)),
    ...[...store.files].filter(([key]) => isBelow(key)).map(([, file]) => ({ ".tag": "file", ...metadataOf(file) })),
  ];
  const end = cursor.at + cursor.limit;
  return {
    entries: entries.slice(cursor.at, end),
    cursor: Buffer.from(JSON.stringify({ ...cursor, at: end })).toString("base64url"),
    has_more: end < entries.length,
  };
}

function metadataOf(file: FakeFile): Readonly<Record<string, unknown>> {
  const modified = `${new Date(file.modifiedAt).toISOString().slice(0, 19)}Z`;
  return {
    name: file.name,
    path_lower: file.path.toLowerCase(),
    path_display: file.path,
    id: `id:${file.rev}`,
    client_modified: modified,
    server_modified: modified,
    rev: file.rev,
    size: file.sizeBytes,
    is_downloadable: true,
    content_hash: file.contentHash,
  };
}

function folderOf(path: string): Readonly<Record<string, unknown>> {
  return {
    ".tag": "folder",
    name: path.slice(path.lastIndexOf("/") + 1),
    path_lower: path.toLowerCase(),
    path_display: path,
    id: `id:${path}`,
  };
}

function cursorOf(
  value: unknown,
  store: FakeStore,
  outer: readonly string[],
): { session: FakeSession; offset: number } {
  const cursor = objectOf(value);
  const session = store.sessions.get(textOf(cursor["session_id"]));
  if (session === undefined) throw ApiError.tagged(...outer, "not_found");
  return { session, offset: typeof cursor["offset"] === "number" ? cursor["offset"] : 0 };
}

async function* limited(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > MOST_BYTES_PER_CALL) throw ApiError.tagged("payload_too_large");
    yield chunk;
  }
}

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes;
}

function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `"overwrite"` and `{".tag": "overwrite"}` are the same to Dropbox. */
function tagOf(value: unknown): string | undefined {
  if (typeof value === "string") return value;
  const tag = objectOf(value)[".tag"];
  return typeof tag === "string" ? tag : undefined;
}
