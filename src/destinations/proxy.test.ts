import { expect, it } from "vitest";
import { proxyFor } from "./proxy.ts";

const PROXY = "http://user:pw@proxy:3128";

it.each([
  ["https://s3.example.com", { HTTPS_PROXY: PROXY }, PROXY],
  ["https://s3.example.com", { https_proxy: PROXY }, PROXY],
  ["https://s3.example.com", { HTTPS_PROXY: "proxy:3128" }, "http://proxy:3128"],
  ["https://s3.example.com", { HTTP_PROXY: PROXY }, undefined],
  ["http://s3.example.com", { HTTP_PROXY: PROXY }, PROXY],
  ["https://s3.example.com", { HTTPS_PROXY: "" }, undefined],
  ["https://localhost:9000", { HTTPS_PROXY: PROXY }, undefined],
  ["http://[::1]:9000", { HTTP_PROXY: PROXY }, undefined],
  ["http://127.0.0.1:9000", { HTTP_PROXY: PROXY }, undefined],
])("%s with %j", (address, environment, expected) => {
  expect(proxyFor(new URL(address), environment)).toBe(expected);
});

it.each([
  ["*", true],
  ["s3.example.com", true],
  ["example.com", true],
  [" other , .EXAMPLE.com", true],
  ["*.example.com", true],
  ["s3.example.com:443", true],
  ["s3.example.com:80", false],
  [".s3.example.com", false],
  ["ample.com", false],
  ["", false],
])("NO_PROXY=%s keeps s3.example.com from it: %s", (except, isExcepted) => {
  const proxy = proxyFor(new URL("https://s3.example.com"), { HTTPS_PROXY: PROXY, NO_PROXY: except });
  expect(proxy === undefined).toBe(isExcepted);
});

it.each([
  ["10.1.2.3", "10.0.0.0/8", true],
  ["11.1.2.3", "10.0.0.0/8", false],
  ["10.1.2.3", "10.1.2.3", true],
  ["[fd00::5]", "fd00::/8", true],
  ["[fd00::5]", "fd00::5", true],
  ["10.1.2.3", "10.0.0.0/99", false],
])("%s with NO_PROXY=%s: %s", (host, except, isExcepted) => {
  const proxy = proxyFor(new URL(`http://${host}:9000`), { HTTP_PROXY: PROXY, NO_PROXY: except });
  expect(proxy === undefined).toBe(isExcepted);
});
