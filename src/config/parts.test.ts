import { describe, expect, it } from "vitest";
import { readValue } from "./kinds.ts";
import { createCatalogue, fileKeyOf, PARTS } from "./parts.ts";
import { loadFiles, short } from "./testing.ts";

const catalogue = createCatalogue();
const numbered = new Set(PARTS.filter(({ original }) => original !== undefined).flatMap(({ settings }) => settings));

/** Every variable of the image that Lifeboat replaces. */
const TODAY =
  `BACKUP_CRON_EXPRESSION BACKUP_JITTER TZ BACKUP_COMPRESSION GZIP_PARALLELISM BACKUP_FILENAME BACKUP_FILENAME_EXPAND
BACKUP_LATEST_SYMLINK BACKUP_SOURCES BACKUP_EXCLUDE_REGEXP BACKUP_FROM_SNAPSHOT BACKUP_ARCHIVE BACKUP_RETENTION_DAYS BACKUP_PRUNING_LEEWAY
BACKUP_PRUNING_PREFIX BACKUP_SKIP_BACKENDS_FROM_PRUNE BACKUP_STOP_DURING_BACKUP_LABEL BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL
BACKUP_STOP_CONTAINER_LABEL BACKUP_STOP_SERVICE_TIMEOUT EXEC_LABEL EXEC_FORWARD_OUTPUT LOCK_TIMEOUT DOCKER_HOST GPG_PASSPHRASE
GPG_PUBLIC_KEY_RING AGE_PASSPHRASE AGE_PUBLIC_KEYS NOTIFICATION_URLS NOTIFICATION_LEVEL EMAIL_NOTIFICATION_RECIPIENT
EMAIL_NOTIFICATION_SENDER EMAIL_SMTP_HOST EMAIL_SMTP_PORT EMAIL_SMTP_USERNAME EMAIL_SMTP_PASSWORD AWS_S3_BUCKET_NAME AWS_S3_PATH
AWS_ENDPOINT AWS_ENDPOINT_PROTO AWS_ENDPOINT_INSECURE AWS_ENDPOINT_CA_CERT AWS_STORAGE_CLASS AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY
AWS_IAM_ROLE_ENDPOINT AWS_PART_SIZE WEBDAV_URL WEBDAV_PATH WEBDAV_USERNAME WEBDAV_PASSWORD WEBDAV_URL_INSECURE SSH_HOST_NAME SSH_PORT
SSH_USER SSH_PASSWORD SSH_IDENTITY_FILE SSH_IDENTITY_PASSPHRASE SSH_REMOTE_PATH AZURE_STORAGE_ACCOUNT_NAME
AZURE_STORAGE_PRIMARY_ACCOUNT_KEY AZURE_STORAGE_CONNECTION_STRING AZURE_STORAGE_CONTAINER_NAME AZURE_STORAGE_ENDPOINT
AZURE_STORAGE_ACCESS_TIER AZURE_STORAGE_PATH DROPBOX_REFRESH_TOKEN DROPBOX_APP_KEY DROPBOX_APP_SECRET DROPBOX_REMOTE_PATH
DROPBOX_CONCURRENCY_LEVEL DROPBOX_ENDPOINT DROPBOX_OAUTH2_ENDPOINT GOOGLE_DRIVE_CREDENTIALS_JSON GOOGLE_DRIVE_FOLDER_ID
GOOGLE_DRIVE_IMPERSONATE_SUBJECT GOOGLE_DRIVE_TEAM_DRIVE_ID GOOGLE_DRIVE_ENDPOINT GOOGLE_DRIVE_TOKEN_URL`.split(/\s+/);

const SECRET =
  `GPG_PASSPHRASE AGE_PASSPHRASE NOTIFICATION_URLS NOTIFICATION_URLS_ERROR NOTIFICATION_URLS_INFO HEALTHCHECK_URL EMAIL_SMTP_PASSWORD
AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_SSE_KMS_KEY_ID WEBDAV_PASSWORD WEBDAV_BEARER_TOKEN SSH_PASSWORD SSH_IDENTITY_PASSPHRASE
AZURE_STORAGE_PRIMARY_ACCOUNT_KEY AZURE_STORAGE_CONNECTION_STRING DROPBOX_REFRESH_TOKEN DROPBOX_APP_KEY DROPBOX_APP_SECRET
GOOGLE_DRIVE_CREDENTIALS_JSON`.split(/\s+/);

describe("the declarations", () => {
  it("hold every variable of today, and mark only the others as new", () => {
    expect(TODAY.filter((key) => catalogue.find(key) === undefined)).toEqual([]);
    expect(
      catalogue.settings
        .filter(({ isNew }) => isNew !== true)
        .map(({ key }) => key)
        .filter((key) => !TODAY.includes(key)),
    ).toEqual([]);
  });

  it("mark exactly the secrets", () => {
    expect(
      catalogue.settings
        .filter((setting) => setting.secret === true && !numbered.has(setting))
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(SECRET.toSorted());
  });

  it("name each key once, with a default that is good", () => {
    expect(new Set(catalogue.settings.map(({ key }) => key)).size).toBe(catalogue.settings.length);
    for (const setting of catalogue.settings) if (setting.default !== undefined) readValue(setting, setting.default);
  });

  it("never take a setting of its own for another one's file", () => {
    expect(catalogue.findByFileKey("SSH_IDENTITY_FILE")).toBeUndefined();
    expect(catalogue.findByFileKey("LOCK_FILE")).toBeUndefined();
    expect(catalogue.findByFileKey("SSH_IDENTITY_FILE_FILE")?.key).toBe("SSH_IDENTITY_FILE");
    for (const setting of catalogue.settings) expect(fileKeyOf(setting, catalogue)).toBe(`${setting.key}_FILE`);
  });
});

describe("what is configured but not built yet", () => {
  it.each([
    [
      "GOOGLE_DRIVE_CREDENTIALS_JSON='{}'\nGOOGLE_DRIVE_IMPERSONATE_SUBJECT=s",
      "GOOGLE_DRIVE_CREDENTIALS_JSON: storing archives in Google Drive is not built yet",
    ],
    ["GPG_PASSPHRASE=p", "GPG_PASSPHRASE: encryption is not built yet"],
    ["AGE_PUBLIC_KEYS=age1x", "AGE_PUBLIC_KEYS: encryption is not built yet"],
  ])("%j", async (file, problem) => {
    const { problems, jobs } = await loadFiles({ a: `${file}\n` });
    expect(jobs).toEqual([]);
    const lines = problems
      .filter(({ severity, key }) => severity === "error" && key !== undefined)
      .map(({ key, message }) => `${key}: ${message}`);
    expect(lines).toEqual([expect.stringContaining(problem)]);
  });

  it("is not seen in what panels always write", async () => {
    const file = `AWS_S3_BUCKET_NAME=
AWS_ENDPOINT=s3.amazonaws.com
AWS_S3_PATH=/backups
SSH_HOST_NAME=
SSH_PORT=22
SSH_IDENTITY_FILE=/root/.ssh/id_rsa
WEBDAV_URL=
WEBDAV_PATH=/
WEBDAV_URL_INSECURE=false
DROPBOX_REMOTE_PATH=/x
DROPBOX_CONCURRENCY_LEVEL=6
AZURE_STORAGE_ACCOUNT_NAME=
AZURE_STORAGE_ENDPOINT=https://{{ .AccountName }}.blob.core.windows.net/
NOTIFICATION_LEVEL=info
NOTIFICATION_URLS=
EMAIL_NOTIFICATION_SENDER=noreply@nohost
EMAIL_SMTP_PORT=587
BACKUP_STOP_DURING_BACKUP_LABEL=true
DOCKER_HOST=tcp://docker-proxy:2375
BACKUP_STAGING=auto
`;
    const { problems, jobs } = await loadFiles({ a: file });
    expect(jobs).toHaveLength(1);
    expect(problems.filter(({ severity, key }) => severity !== "note" && key !== undefined).map(short)).toEqual([]);
  });

  it("is a warning where only containers tell whether it is used", async () => {
    const { problems, jobs } = await loadFiles({ a: "EXEC_LABEL=x\nBACKUP_STOP_DURING_BACKUP_LABEL=site\n" });
    expect(jobs).toHaveLength(1);
    expect(problems.map(short)).toEqual([
      expect.stringMatching(/^warning 1 EXEC_LABEL: has no effect yet/),
      expect.stringMatching(/^warning 2 BACKUP_STOP_DURING/),
    ]);
  });
});

describe("rules over several settings", () => {
  it.each([
    [
      "GPG_PASSPHRASE=p\nAGE_PASSPHRASE=q",
      "GPG_PASSPHRASE: exactly one kind of encryption can be used, but AGE_PASSPHRASE is set too",
    ],
    ["WEBDAV_URL=https://x.test\nWEBDAV_USERNAME=u", "WEBDAV_USERNAME: needs WEBDAV_PASSWORD as well"],
    ["DROPBOX_APP_KEY=k", "DROPBOX_APP_KEY: needs DROPBOX_REFRESH_TOKEN and DROPBOX_APP_SECRET as well"],
    ["AWS_S3_BUCKET_NAME=b\nAWS_SECRET_ACCESS_KEY=s", "AWS_SECRET_ACCESS_KEY: needs AWS_ACCESS_KEY_ID as well"],
    ["AWS_S3_BUCKET_NAME=b\nAWS_SSE_KMS_KEY_ID=s", "AWS_SSE_KMS_KEY_ID: needs AWS_SSE to be aws:kms"],
    [
      "AZURE_STORAGE_ACCOUNT_NAME=a\nAZURE_STORAGE_CONTAINER_NAME=c\nAZURE_STORAGE_PRIMARY_ACCOUNT_KEY=k\nAZURE_STORAGE_CONNECTION_STRING=s",
      "AZURE_STORAGE_PRIMARY_ACCOUNT_KEY: can't be used together with AZURE_STORAGE_CONNECTION_STRING",
    ],
    ["AZURE_STORAGE_ACCOUNT_NAME=a", "AZURE_STORAGE_ACCOUNT_NAME: needs AZURE_STORAGE_CONTAINER_NAME as well"],
    ["DROPBOX_REMOTE_PATH=a/../b", "DROPBOX_REMOTE_PATH: must not contain `..`"],
    ["DROPBOX_REMOTE_PATH='a /b'", "DROPBOX_REMOTE_PATH: must have no part that ends with a blank"],
    ["BACKUP_MAX_AGE=-24h", "BACKUP_MAX_AGE: must be 0 or more"],
    ["SSH_HOST_NAME=h", "SSH_HOST_NAME: needs SSH_USER as well"],
    [
      "BACKUP_STOP_CONTAINER_LABEL=a\nBACKUP_STOP_DURING_BACKUP_LABEL=b",
      "BACKUP_STOP_CONTAINER_LABEL: is the earlier name of BACKUP_STOP_DURING_BACKUP_LABEL",
    ],
    [
      "GOOGLE_DRIVE_CREDENTIALS_JSON='{}'",
      "GOOGLE_DRIVE_CREDENTIALS_JSON: needs GOOGLE_DRIVE_IMPERSONATE_SUBJECT as well",
    ],
  ])("%j", async (file, problem) => {
    const { problems } = await loadFiles({ a: `${file}\n` });
    expect(
      problems
        .filter(({ severity }) => severity === "error")
        .map(({ key, message }) => `${key}: ${message}`)
        .join("\n"),
    ).toContain(problem);
  });

  it("let a job run that can tell nobody by mail", async () => {
    const { jobs, problems } = await loadFiles({ a: "EMAIL_NOTIFICATION_RECIPIENT=a@b.test\n" });
    expect(jobs).toHaveLength(1);
    expect(problems.map(short)).toContainEqual(
      expect.stringMatching(
        /^warning .*EMAIL_NOTIFICATION_RECIPIENT: needs EMAIL_SMTP_HOST as well, so no mail is sent/,
      ),
    );
  });

  it("say deprecated names", async () => {
    const { problems } = await loadFiles({ a: "BACKUP_FROM_SNAPSHOT=true\nEMAIL_SMTP_PORT=587\n" });
    expect(problems.map(short)).toEqual([
      expect.stringMatching(/^note 1 BACKUP_FROM_SNAPSHOT: is deprecated: has no effect/),
    ]);
  });

  it("say a session token that nothing uses", async () => {
    const { problems } = await loadFiles({ a: "AWS_S3_BUCKET_NAME=b\nAWS_SESSION_TOKEN=t\n" });
    expect(problems.map(short)).toContainEqual(
      expect.stringMatching(/^warning 2 AWS_SESSION_TOKEN: is not used without/),
    );
  });
});
