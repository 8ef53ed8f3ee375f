import type { Setting, Values } from "../contracts/setting.ts";

export const TZ: Setting<"zone"> = {
  key: "TZ",
  kind: "zone",
  help: "Time zone of the schedule, of the times in archive names and of retention's days, for example `Europe/Berlin`. Unset: the system's zone, which in a container is UTC.",
};

/** The zone that a job's times are in, as `golang/zone.ts` names zones: `Local` is the system's own. */
export function zoneOf(values: Values): string {
  return values.get(TZ) ?? "Local";
}
