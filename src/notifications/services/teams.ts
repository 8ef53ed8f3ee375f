import { httpService } from "../service.ts";
import { postJson, titleOf } from "../requests.ts";
import { cutText } from "../cut.ts";
import { type GoUrl, pathParts } from "../url/go-url.ts";
import { type PropValues, readProps, text } from "../url/props.ts";
import { reject } from "../url/problem.ts";
import { adaptiveCard, messageCard } from "./teams-cards.ts";

const PROPS = { title: text(), color: text(), host: text() };

const UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const GROUP_AT_TENANT = new RegExp(`^${UUID4}@${UUID4}$`);
const OWNER = new RegExp(`^${UUID4}$`);
const CONNECTOR = /\/([0-9a-f-]{36}@[0-9a-f-]{36})\/[^/]+\/([0-9a-f]{32})\/([0-9a-f-]{36})(?:\/([^/]+))?/;
const WORKFLOW =
  /^https:\/\/[A-Za-z0-9.-]+\.(?:logic\.azure(?:\.[a-z]{2,})?|api(?:\.gov)?\.powerplatform\.(?:com|microsoft\.us|partner\.microsoftonline\.cn))(?::[0-9]+)?\/(?:[^?#]*\/)?workflows\//;

const OLD_HOST = "outlook.office.com";
const BODY_CHARACTERS = 1000;
const TITLE_CHARACTERS = 256;

interface Config {
  readonly endpoint: string;
  /** A Power Automate workflow; else a connector, which Microsoft has retired. */
  readonly isWorkflow: boolean;
  readonly props: PropValues<typeof PROPS>;
}

/** Microsoft Teams in all three generations of its URLs. */
export const teams = httpService<Config>({
  name: "teams",
  schemes: ["teams"],
  parse(url) {
    const isWorkflow = url.user === undefined && url.hostname === "";
    const props = readProps(url, PROPS, { ignoresUnknown: isWorkflow });
    if (isWorkflow) return workflow(props.host, props);
    const isOldest = url.password !== undefined;
    const [altId = "", owner = "", extra = ""] = isOldest ? [url.password, url.host] : pathParts(url.path);
    const group = isOldest ? (url.user ?? "") : `${url.user ?? ""}@${url.host}`;
    return connector(group, altId, owner, extra, props);
  },
  parseCustom(inner) {
    const address = `${inner.scheme}://${inner.host}${inner.rawPath}${inner.rawQuery === undefined ? "" : `?${inner.rawQuery}`}`;
    if (WORKFLOW.test(address)) return workflow(address, { title: "", color: "", host: "" });
    const [, group = "", altId = "", owner = "", extra = ""] = CONNECTOR.exec(inner.path) ?? [];
    if (group === "") reject("is neither the URL of a workflow nor that of an incoming webhook");
    return connector(group, altId, owner, extra, { ...customProps(inner), host: inner.host });
  },
  secrets: ({ endpoint }) => [endpoint, ...new URL(endpoint).searchParams.values()],
  warnings: ({ isWorkflow }) =>
    isWorkflow
      ? []
      : [
          "Microsoft has retired these webhooks; make a workflow in Teams and use teams://?host=<its URL, percent-encoded>",
        ],
  requests({ endpoint, isWorkflow, props }, message) {
    const title = cutText(titleOf(message, props.title), TITLE_CHARACTERS);
    const body = cutText(message.body, BODY_CHARACTERS);
    return [
      postJson(endpoint, isWorkflow ? adaptiveCard(title, body, props.color) : messageCard(title, body, props.color)),
    ];
  },
});

function workflow(address: string, props: Config["props"]): Config {
  if (!WORKFLOW.test(address) || !URL.canParse(address))
    reject("needs host=<the workflow's URL, percent-encoded>, at logic.azure.com or api.powerplatform.com");
  return { endpoint: address, isWorkflow: true, props };
}

function connector(group: string, altId: string, owner: string, extra: string, props: Config["props"]): Config {
  if (!GROUP_AT_TENANT.test(group)) reject("has no group@tenant of two UUIDs (version 4, lower case)");
  if (!/^[A-Za-z0-9]{32}$/.test(altId)) reject("has no webhook id of 32 letters and digits");
  if (!OWNER.test(owner)) reject("has no owner that is a UUID (version 4, lower case)");
  if (!/^[A-Za-z0-9_-]*$/.test(extra)) reject("has a last part of the path that is no id");
  const host = props.host === "" ? OLD_HOST : props.host;
  if (host !== OLD_HOST && !/^[A-Za-z0-9.-]+\.webhook\.office\.com$/.test(host))
    reject(`host must end with .webhook.office.com or be ${OLD_HOST}`);
  const path = host === OLD_HOST ? "webhook" : "webhookb2";
  const end = extra === "" ? "" : `/${extra}`;
  return {
    endpoint: `https://${host}/${path}/${group}/IncomingWebhook/${altId}/${owner}${end}`,
    isWorkflow: false,
    props,
  };
}

function customProps(inner: GoUrl): Omit<Config["props"], "host"> {
  return readProps(inner, { title: PROPS.title, color: PROPS.color });
}
