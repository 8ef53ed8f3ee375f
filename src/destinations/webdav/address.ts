/** Where the server's paths are, as far as redirects have told. */
export interface Address {
  of(path: string): URL;
  /** After a redirect: what it says of one path holds for all that begin alike. */
  moved(from: URL, to: URL): Address;
}

interface Move {
  /** Begins every path that moved; empty: all of them, below `to`. */
  readonly from: string;
  readonly to: string;
}

export function createAddress(origin: string, move?: Move): Address {
  return {
    of: (path) => {
      const isMoved = move !== undefined && path.startsWith(`${move.from}/`);
      return new URL(`${origin}${isMoved ? move.to + path.slice(move.from.length) : path}`);
    },
    moved(from, to) {
      if (withoutSlash(from.pathname) === withoutSlash(to.pathname)) return createAddress(to.origin, move);
      const [before, after] = differingPrefixes(from.pathname, to.pathname);
      // Nothing in common: a page of its own, such as a login, and no other place of the same things.
      if (before === from.pathname || move !== undefined) return createAddress(origin, move);
      return createAddress(to.origin, { from: before, to: after });
    },
  };
}

function withoutSlash(path: string): string {
  return path.replace(/\/$/, "");
}

/** `/old/site/a`, `/new/dav/site/a` -> `/old`, `/new/dav` */
function differingPrefixes(from: string, to: string): readonly [string, string] {
  const a = from.split("/");
  const b = to.split("/");
  while (a.length > 1 && b.length > 1 && a.at(-1) === b.at(-1)) {
    a.pop();
    b.pop();
  }
  return [a.join("/"), b.join("/")];
}
