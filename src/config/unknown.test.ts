import { expect, it } from "vitest";
import { createCatalogue } from "./parts.ts";
import { nearestKey } from "./unknown.ts";

const catalogue = createCatalogue();

it.each([
  ["BACKUP_RETENTION_DAY", "BACKUP_RETENTION_DAYS"],
  ["AWS_S3_BUCKETNAME", "AWS_S3_BUCKET_NAME"],
  ["BACKUP_CRON_EXPRESION", "BACKUP_CRON_EXPRESSION"],
  ["NOTIFICATION_URL", "NOTIFICATION_URLS"],
  ["backup_filename", "BACKUP_FILENAME"],
  ["BACKUP-FILENAME", "BACKUP_FILENAME"],
  ["SSH_HOST", "SSH_HOST_NAME"],
  ["BACKUP_RETENTION", "BACKUP_RETENTION_DAYS"],
  ["AWS_BUCKET_NAME", "AWS_S3_BUCKET_NAME"],
  ["WEBDAV_USER", "WEBDAV_USERNAME"],
  ["BACUKP_SOURCES", "BACKUP_SOURCES"],
  ["AWS_SECRET_ACESS_KEY_FILE", "AWS_SECRET_ACCESS_KEY_FILE"],
  ["BACKUP_SOURCE", "BACKUP_SOURCES"],
  ["BACKUP_STOP_DURING_BACKUP__NO_RESTART_LABEL", "BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL"],
])("%s was meant to be %s", (key, meant) => expect(nearestKey(key, catalogue, "file")).toBe(meant));

it.each([
  "USERNAME",
  "USER",
  "TZDIR",
  "PATH",
  "HOME",
  "HOSTNAME",
  "DOMAIN",
  "SITE",
  "AWS_DEFAULT_REGION",
  "AZURE_CLIENT_ID",
  "SSH_AUTH_SOCK",
  "BACKUP_FILENAME",
  "BACKUP_FILENAME_FILE",
  "SSH_IDENTITY_FILE",
  "MYSQL_PASSWORD",
  "LOG_PATH",
  "T",
  "",
  "A".repeat(100_000),
  "_",
  "BACKUP_",
])("%s is left alone", (key) => expect(nearestKey(key, catalogue, "file")).toBeUndefined());

it("looks only at close misspellings of our own prefixes in the environment", () => {
  expect(nearestKey("BACKUP_RETENTION_DAY", catalogue, "environment")).toBe("BACKUP_RETENTION_DAYS");
  expect(nearestKey("SSH_HOST", catalogue, "environment")).toBeUndefined();
  expect(nearestKey("STATE_DIRS", catalogue, "environment")).toBeUndefined();
});
