import type { PartSettings, RuleBreak, Setting, Values, WithDefault } from "../contracts/setting.ts";

export const BACKUP_STOP_DURING_BACKUP_LABEL: WithDefault<"text"> = {
  key: "BACKUP_STOP_DURING_BACKUP_LABEL",
  kind: "text",
  default: "true",
  help: "Containers whose label `docker-volume-backup.stop-during-backup` has this value are stopped while the archive is made.",
};

export const BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL: WithDefault<"text"> = {
  key: "BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL",
  kind: "text",
  default: "true",
  help: "Containers whose label `docker-volume-backup.stop-during-backup-no-restart` has this value are stopped and stay stopped.",
};

export const BACKUP_STOP_CONTAINER_LABEL: Setting<"text"> = {
  key: "BACKUP_STOP_CONTAINER_LABEL",
  kind: "text",
  deprecated: "use BACKUP_STOP_DURING_BACKUP_LABEL",
  help: "Earlier name of `BACKUP_STOP_DURING_BACKUP_LABEL`.",
};

export const BACKUP_STOP_SERVICE_TIMEOUT: WithDefault<"duration"> = {
  key: "BACKUP_STOP_SERVICE_TIMEOUT",
  kind: "duration",
  default: "5m",
  help: "How long to wait for a Swarm service to scale down.",
};

export const EXEC_LABEL: Setting<"text"> = {
  key: "EXEC_LABEL",
  kind: "text",
  help: "Only commands of containers whose label `docker-volume-backup.exec-label` has this value are run. Unset: those of all labelled containers.",
};

export const EXEC_FORWARD_OUTPUT: WithDefault<"boolean"> = {
  key: "EXEC_FORWARD_OUTPUT",
  kind: "boolean",
  default: "false",
  help: "Whether the output of commands is logged.",
};

export const DOCKER_HOST: Setting<"text"> = {
  key: "DOCKER_HOST",
  kind: "text",
  help: "Where the Docker Engine API is reached, for example `tcp://docker-proxy:2375`. Unset: `/var/run/docker.sock`, if it is there.",
};

const WITHOUT_EFFECT = "has no effect yet: stopping containers and running their commands is not built yet";

export const containersSettings: PartSettings = {
  part: "containers",
  title: "Containers",
  settings: [
    BACKUP_STOP_DURING_BACKUP_LABEL,
    BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL,
    BACKUP_STOP_CONTAINER_LABEL,
    BACKUP_STOP_SERVICE_TIMEOUT,
    EXEC_LABEL,
    EXEC_FORWARD_OUTPUT,
    DOCKER_HOST,
  ],
  rules(values): readonly RuleBreak[] {
    return [...sameLabelTwice(values), ...notYet(values)];
  },
};

function sameLabelTwice(values: Values): readonly RuleBreak[] {
  if (!values.isSet(BACKUP_STOP_CONTAINER_LABEL) || !values.isSet(BACKUP_STOP_DURING_BACKUP_LABEL)) return [];
  if (values.get(BACKUP_STOP_CONTAINER_LABEL) === values.get(BACKUP_STOP_DURING_BACKUP_LABEL)) return [];
  return [
    {
      key: BACKUP_STOP_CONTAINER_LABEL.key,
      severity: "error",
      message: `is the earlier name of ${BACKUP_STOP_DURING_BACKUP_LABEL.key}, which is set too and differs; keep only the latter`,
    },
  ];
}

/** What a job asks for beyond the defaults. That a container is labelled can't be seen from here. */
function notYet(values: Values): readonly RuleBreak[] {
  const asked: Setting[] = [];
  for (const setting of [BACKUP_STOP_DURING_BACKUP_LABEL, BACKUP_STOP_DURING_BACKUP_NO_RESTART_LABEL]) {
    if (values.get(setting) !== setting.default) asked.push(setting);
  }
  for (const setting of [BACKUP_STOP_CONTAINER_LABEL, EXEC_LABEL]) if (values.isSet(setting)) asked.push(setting);
  return asked.map(({ key }) => ({ key, severity: "warning", message: WITHOUT_EFFECT }));
}
