import { Agent, type Dispatcher, EnvHttpProxyAgent } from "undici";

type Environment = Readonly<Record<string, string | undefined>>;

/** Connections of one round of messages. */
export interface Connections {
  for(url: URL, acceptsAnyCertificate: boolean): Dispatcher;
  close(): Promise<void>;
}

const CONNECT_MS = 10_000;

/**
 * Connections that follow `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` (also in lower case) as Go programs do: each protocol
 * has its own proxy, and the own machine is never reached through one.
 */
export function createConnections(environment: Environment): Connections {
  const made = new Map<string, Dispatcher>();
  return {
    for(url, acceptsAnyCertificate) {
      const proxy = isLoopback(url.hostname) ? "" : proxyOf(url.protocol, environment);
      const key = `${acceptsAnyCertificate} ${proxy}`;
      const known = made.get(key) ?? makeDispatcher(proxy, environment, acceptsAnyCertificate);
      made.set(key, known);
      return known;
    },
    async close() {
      await Promise.allSettled([...made.values()].map((dispatcher) => dispatcher.destroy()));
    },
  };
}

function makeDispatcher(proxy: string, environment: Environment, acceptsAnyCertificate: boolean): Dispatcher {
  const tls = acceptsAnyCertificate ? { rejectUnauthorized: false } : {};
  const options = {
    // One message each: HTTP/2 brings nothing, and fails in more ways.
    allowH2: false,
    connect: { timeout: CONNECT_MS, ...tls },
    ...(acceptsAnyCertificate ? { requestTls: tls } : {}),
  };
  if (proxy === "") return new Agent(options);
  return new EnvHttpProxyAgent({
    ...options,
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: variable(environment, "NO_PROXY"),
  });
}

function proxyOf(protocol: string, environment: Environment): string {
  const proxy = variable(environment, protocol === "https:" ? "HTTPS_PROXY" : "HTTP_PROXY");
  return proxy === "" || proxy.includes("://") ? proxy : `http://${proxy}`;
}

function variable(environment: Environment, name: string): string {
  return (environment[name] ?? "") || (environment[name.toLowerCase()] ?? "");
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.[0-9]+){3}$/.test(hostname);
}
