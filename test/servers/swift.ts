import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { userInfo } from "node:os";
import { join } from "node:path";
import { freePort, type Program, startProgram } from "./program.ts";
import type { S3Server } from "./s3-server.ts";

const BACK_ENDS = ["account", "container", "object"] as const;
/** Swift keeps everything in extended attributes, which not every `/tmp` has. */
const PARENT = "/var/tmp";

/** OpenStack Swift with its s3api on 127.0.0.1: a stand-in for the older stores that speak S3. */
export async function startSwift(): Promise<S3Server> {
  const folder = mkdtempSync(join(PARENT, "lifeboat-swift-"));
  const confFolder = join(folder, "conf");
  const devices = join(folder, "dev");
  for (const needed of [confFolder, join(devices, "sdb1")]) mkdirSync(needed, { recursive: true });
  const ports = new Map<string, number>();
  for (const name of [...BACK_ENDS, "proxy"]) ports.set(name, await freePort());
  const portOf = (name: string): number => ports.get(name) ?? 0;

  const common = (name: string): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${portOf(name)}
workers = 1
user = ${userInfo().username}
swift_dir = ${confFolder}
devices = ${devices}
mount_check = false
fallocate_reserve = 0
log_level = WARNING
log_address = ${join(folder, "no-log")}
recon_cache_path = ${folder}
`;
  const write = (file: string, text: string): void => writeFileSync(join(confFolder, file), text);
  write("swift.conf", SWIFT);
  write("proxy.conf", `${common("proxy")}${PROXY}`);
  for (const name of BACK_ENDS) {
    write(
      `${name}.conf`,
      `${common(name)}[pipeline:main]\npipeline = ${name}-server\n[app:${name}-server]\nuse = egg:swift#${name}\n`,
    );
    const ring = (...args: string[]): void =>
      void execFileSync("swift-ring-builder", [join(confFolder, `${name}.builder`), ...args], { stdio: "pipe" });
    ring("create", "4", "1", "1");
    ring("add", `r1z1-127.0.0.1:${portOf(name)}/sdb1`, "1");
    ring("rebalance");
  }

  const programs: Program[] = [];
  const stop = async (): Promise<void> => {
    await Promise.all(programs.map((program) => program.stop()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    for (const name of [...BACK_ENDS, "proxy"]) {
      programs.push(
        await startProgram({
          command: `swift-${name}-server`,
          args: [join(confFolder, `${name}.conf`)],
          port: portOf(name),
          environment: { SWIFT_DIR: confFolder },
        }),
      );
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    host: `127.0.0.1:${portOf("proxy")}`,
    accessKeyId: "test:tester",
    secretAccessKey: "testing-secret",
    isHttps: false,
    stop,
  };
}

const SWIFT = `[swift-hash]
swift_hash_path_prefix = backup
swift_hash_path_suffix = backup
[storage-policy:0]
name = one
default = yes
`;

const PROXY = `[pipeline:main]
pipeline = catch_errors proxy-logging cache listing_formats bulk s3api tempauth slo dlo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:proxy-logging]
use = egg:swift#proxy_logging
[filter:cache]
use = egg:swift#memcache
# Nobody is there: it must be named, and is not needed.
memcache_servers = 127.0.0.1:1
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
check_bucket_owner = false
location = us-east-1
max_upload_part_num = 10000
[filter:tempauth]
use = egg:swift#tempauth
user_test_tester = testing-secret .admin
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
`;
