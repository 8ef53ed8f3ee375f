import { BlockList, isIP } from "node:net";
import type { Destination } from "../contracts/destination.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The proxy through which an address is reached, as Go programs read `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (also in
 * lower case): the image that Lifeboat replaces does so for every store that speaks HTTP. Undefined: none. The own machine
 * is never reached through one.
 */
export function proxyFor(address: URL, environment: Environment = process.env): string | undefined {
  const named = variable(environment, address.protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  if (named === "") return undefined;
  const host = address.hostname.replaceAll(/^\[|\]$/g, "").toLowerCase();
  const port = address.port === "" ? (address.protocol === "https:" ? "443" : "80") : address.port;
  const isExcepted = variable(environment, "NO_PROXY")
    .split(",")
    .some((entry) => matches(entry.trim().toLowerCase(), host, port));
  if (isExcepted || isOwnMachine(host)) return undefined;
  return named.includes("://") ? named : `http://${named}`;
}

/** Options of a `node:http` or `node:https` agent. */
export function throughProxy(address: URL): { readonly proxyEnv?: NodeJS.ProcessEnv } {
  const proxy = proxyFor(address);
  return proxy === undefined ? {} : { proxyEnv: { HTTP_PROXY: proxy, HTTPS_PROXY: proxy } };
}

/** What `check` resolves and connects to first: nothing where a proxy does that, which may be the only one that can. */
export function endpointOf(address: URL): Pick<Destination, "endpoint"> {
  if (proxyFor(address) !== undefined) return {};
  const port = Number(address.port || (address.protocol === "https:" ? 443 : 80));
  return { endpoint: { host: address.hostname.replaceAll(/^\[|\]$/g, ""), port } };
}

function variable(environment: Environment, name: string): string {
  return ((environment[name] ?? "") || (environment[name.toLowerCase()] ?? "")).trim();
}

/** `*`, an address, a network (`10.0.0.0/8`), a name with those below it, or `.name` for those below it alone; `:port` may follow. */
function matches(entry: string, host: string, port: string): boolean {
  if (entry === "" || entry === "*") return entry === "*";
  const [network = "", bits] = entry.split("/");
  if (bits !== undefined) return isInNetwork(host, network, Number(bits));
  const [, name = entry, wantedPort = port] = /^(.+):(\d+)$/.exec(isIP(entry) === 6 ? "" : entry) ?? [];
  if (wantedPort !== port) return false;
  const plain = name.replaceAll(/^\[|\]$/g, "").replace(/^\*\./, ".");
  return host === plain || host.endsWith(plain.startsWith(".") ? plain : `.${plain}`);
}

function isInNetwork(host: string, network: string, bits: number): boolean {
  const version = isIP(host);
  if (version === 0 || isIP(network) !== version || !(bits >= 0 && bits <= (version === 4 ? 32 : 128))) return false;
  const family = version === 4 ? "ipv4" : "ipv6";
  const list = new BlockList();
  list.addSubnet(network, bits, family);
  return list.check(host, family);
}

function isOwnMachine(host: string): boolean {
  return host === "localhost" || host === "::1" || /^127(?:\.[0-9]+){3}$/.test(host);
}
