import type { Registered } from "../service.ts";
import { bark } from "./bark.ts";
import { discord } from "./discord.ts";
import { generic } from "./generic.ts";
import { googlechat } from "./googlechat.ts";
import { gotify } from "./gotify.ts";
import { ifttt } from "./ifttt.ts";
import { join } from "./join.ts";
import { lark } from "./lark.ts";
import { logger } from "./logger.ts";
import { matrix } from "./matrix.ts";
import { mattermost } from "./mattermost.ts";
import { mqtt } from "./mqtt.ts";
import { notifiarr } from "./notifiarr.ts";
import { ntfy } from "./ntfy.ts";
import { opsgenie } from "./opsgenie.ts";
import { pagerduty } from "./pagerduty.ts";
import { pushbullet } from "./pushbullet.ts";
import { pushover } from "./pushover.ts";
import { rocketchat } from "./rocketchat.ts";
import { signal } from "./signal.ts";
import { slack } from "./slack.ts";
import { smtp } from "./smtp.ts";
import { teams } from "./teams.ts";
import { telegram } from "./telegram.ts";
import { twilio } from "./twilio.ts";
import { wecom } from "./wecom.ts";
import { zulip } from "./zulip.ts";

/**
 * Every service, one file each. A new one is a line here, a recorded case in `test/notifications` and a section in the docs.
 * None of these files imports a library: the configuration's check loads them all.
 */
export const services: readonly Registered[] = [
  bark,
  discord,
  generic,
  googlechat,
  gotify,
  ifttt,
  join,
  lark,
  logger,
  matrix,
  mattermost,
  mqtt,
  notifiarr,
  ntfy,
  opsgenie,
  pagerduty,
  pushbullet,
  pushover,
  rocketchat,
  signal,
  slack,
  smtp,
  teams,
  telegram,
  twilio,
  wecom,
  zulip,
];
