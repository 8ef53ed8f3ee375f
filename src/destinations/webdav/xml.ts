/** An element: its name without a prefix, its text, its elements. Attributes, comments and instructions are passed over. */
export interface XmlElement {
  readonly name: string;
  text: string;
  readonly children: XmlElement[];
}

const DEEPEST = 64;
const TOKEN =
  /<!--[\s\S]*?-->|<!\[CDATA\[([\s\S]*?)\]\]>|<\?[\s\S]*?\?>|<!DOCTYPE[^>[]*(?:\[[^\]]*\])?[^>]*>|<(\/?)([^\s/>]+)((?:[^>"']|"[^"]*"|'[^']*')*?)(\/?)>/g;

/**
 * Reads a small XML document into a tree. Enough for what WebDAV servers answer, and no more: no entities but the five that
 * XML names and those by number, so that no answer can expand. Undefined for what is no well-formed document.
 */
export function parseXml(text: string): XmlElement | undefined {
  const root: XmlElement = { name: "", text: "", children: [] };
  const open: XmlElement[] = [root];
  let at = 0;
  for (const match of text.matchAll(TOKEN)) {
    const [token, cdata, closing, qualified, , selfClosing] = match;
    const parent = open.at(-1) ?? root;
    parent.text += decodeEntities(text.slice(at, match.index));
    at = match.index + token.length;
    if (cdata !== undefined) parent.text += cdata;
    if (qualified === undefined) continue;
    const name = qualified.slice(qualified.indexOf(":") + 1);
    if (closing === "/") {
      if (open.length === 1 || parent.name !== name) return undefined;
      open.pop();
      continue;
    }
    const element: XmlElement = { name, text: "", children: [] };
    parent.children.push(element);
    if (selfClosing !== "/" && open.push(element) > DEEPEST) return undefined;
  }
  return open.length === 1 && root.children.length === 1 ? root.children[0] : undefined;
}

export function childrenOf(element: XmlElement | undefined, name: string): readonly XmlElement[] {
  return element?.children.filter((child) => child.name === name) ?? [];
}

export function childOf(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((child) => child.name === name);
}

const NAMED: Readonly<Record<string, string>> = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" };

function decodeEntities(text: string): string {
  if (!text.includes("&")) return text;
  return text.replaceAll(
    /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|(amp|lt|gt|quot|apos));/g,
    (whole, decimal, hex, named) => {
      if (typeof named === "string") return NAMED[named] ?? whole;
      const code = typeof decimal === "string" ? Number(decimal) : Number.parseInt(String(hex), 16);
      return code <= 0x10_ff_ff ? String.fromCodePoint(code) : whole;
    },
  );
}
