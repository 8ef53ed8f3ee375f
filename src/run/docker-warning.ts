import { existsSync } from "node:fs";
import type { Job } from "../contracts/job.ts";
import type { Log } from "../contracts/log.ts";
import { DOCKER_HOST } from "../containers/settings.ts";
import type { Recorder } from "./recorder.ts";

const SOCKET = "/var/run/docker.sock";

/**
 * Panels always give the sidecar a Docker API, so having one is no error; but labels are not acted upon yet, and a
 * database that its label wants dumped must not go without in silence.
 */
export function warnAboutDocker(job: Job, recorder: Recorder, log: Log): void {
  const what = job.values.isSet(DOCKER_HOST)
    ? "DOCKER_HOST is set"
    : existsSync(SOCKET)
      ? `${SOCKET} is there`
      : undefined;
  if (what === undefined) return;
  const text = `${what}, but stopping containers and running labelled commands is not built yet: labels are ignored`;
  recorder.note(text);
  log.warn(text);
}
