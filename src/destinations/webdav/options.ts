import type { Values } from "../../contracts/setting.ts";
import type { WebdavLogin } from "./auth.ts";
import type { HttpLimits } from "./http.ts";
import {
  WEBDAV_BEARER_TOKEN,
  WEBDAV_CA_CERT,
  WEBDAV_PASSWORD,
  WEBDAV_PATH,
  WEBDAV_URL,
  WEBDAV_URL_INSECURE,
  WEBDAV_USERNAME,
} from "./settings.ts";

export interface WebdavOptions {
  /** As the user wrote it; user info in it counts where no user name is set. */
  readonly url: string;
  readonly path: string;
  readonly login: WebdavLogin;
  /** PEM text. */
  readonly caCertificate?: string;
  readonly isInsecure?: boolean;
  /** Shorter limits, for tests. */
  readonly limits?: Partial<HttpLimits> & { readonly silenceMs?: number };
  onWarning?(text: string): void;
}

export function webdavOptionsOf(values: Values, context: { onWarning?(text: string): void }): WebdavOptions {
  const user = values.get(WEBDAV_USERNAME);
  const password = values.get(WEBDAV_PASSWORD);
  const bearerToken = values.get(WEBDAV_BEARER_TOKEN);
  const caCertificate = values.get(WEBDAV_CA_CERT);
  return {
    url: values.get(WEBDAV_URL) ?? "",
    path: values.get(WEBDAV_PATH),
    login: {
      ...(user === undefined ? {} : { user }),
      ...(password === undefined ? {} : { password }),
      ...(bearerToken === undefined ? {} : { bearerToken }),
    },
    ...(caCertificate === undefined ? {} : { caCertificate }),
    isInsecure: values.get(WEBDAV_URL_INSECURE),
    onWarning: (text) => context.onWarning?.(text),
  };
}
