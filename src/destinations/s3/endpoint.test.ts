import { describe, expect, it } from "vitest";
import { addressOf, isAmazon, isCloudflareR2, maxPartsOf, regionOf } from "./endpoint.ts";

describe("the region", () => {
  it.each([
    ["s3.amazonaws.com", "us-east-1"],
    ["s3.eu-central-1.amazonaws.com", "eu-central-1"],
    ["s3-ap-southeast-2.amazonaws.com", "ap-southeast-2"],
    ["s3.dualstack.us-west-2.amazonaws.com", "us-west-2"],
    ["s3.us-gov-west-1.amazonaws.com", "us-gov-west-1"],
    ["s3.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["s3.us-west-004.backblazeb2.com", "us-west-004"],
    ["s3.eu-central-2.wasabisys.com", "eu-central-2"],
    ["s3.wasabisys.com", "us-east-1"],
    ["s3.fr-par.scw.cloud", "fr-par"],
    ["s3.gra.io.cloud.ovh.net", "gra"],
    ["fra1.digitaloceanspaces.com", "fra1"],
    ["nbg1.your-objectstorage.com", "nbg1"],
    ["eu-central-1.linodeobjects.com", "eu-central-1"],
    ["sos-ch-gva-2.exo.io", "ch-gva-2"],
    ["0123abcd.r2.cloudflarestorage.com", "auto"],
    ["storage.googleapis.com", "auto"],
    ["minio:9000", "us-east-1"],
    ["S3.EU-WEST-1.amazonaws.com:443", "eu-west-1"],
    ["[::1]:9000", "us-east-1"],
  ])("of %s is %s", (host, region) => {
    expect(regionOf(host, undefined)).toEqual({ name: region, isGiven: false });
    expect(regionOf(host, "xx-1")).toEqual({ name: "xx-1", isGiven: true });
  });
});

it("Amazon's general name becomes that of the region, others stay", () => {
  expect(addressOf("s3.amazonaws.com", true, "us-east-1")).toBe("https://s3.amazonaws.com");
  expect(addressOf("s3.amazonaws.com", true, "eu-west-3")).toBe("https://s3.eu-west-3.amazonaws.com");
  expect(addressOf("s3.amazonaws.com", true, "cn-north-1")).toBe("https://s3.cn-north-1.amazonaws.com.cn");
  expect(addressOf("minio:9000", false, "eu-west-3")).toBe("http://minio:9000");
});

it("knows whose endpoint it is", () => {
  expect(["s3.amazonaws.com", "s3.cn-north-1.amazonaws.com.cn:443"].every(isAmazon)).toBe(true);
  expect(["amazonaws.com.example.net", "notamazonaws.com", "minio"].some(isAmazon)).toBe(false);
  expect(isCloudflareR2("x.eu.r2.cloudflarestorage.com")).toBe(true);
  expect(maxPartsOf("s3.nl-ams.scw.cloud")).toBe(1_000);
  expect(maxPartsOf("s3.amazonaws.com")).toBe(10_000);
});
