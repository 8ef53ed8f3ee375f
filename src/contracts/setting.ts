/**
 * A setting is declared once, as data. Parsing, validation, `print-config`, secrets' redaction and the configuration
 * reference in `docs/` all read the same declaration. Declarations import no library, so the daemon can know every
 * setting without loading what it belongs to.
 */

/** What a value of each kind becomes once `config/` has read it. Units are part of the kind. */
export interface Kinds {
  /** Any text, taken as it stands. */
  text: string;
  /** Go's `strconv.ParseBool` spellings. */
  boolean: boolean;
  /** Go's `time.ParseDuration`; milliseconds (fractions kept). */
  duration: number;
  /** Whole number, may be negative; 32 bits, as Go's `ParseInt(…, 10, 32)`. */
  whole: number;
  /** Whole number of 0 or more. */
  natural: number;
  /** Size such as `500MB`, `2GiB` or plain bytes; bytes. */
  bytes: number;
  /** One of `allowed`, written exactly. */
  choice: string;
  /** Comma separated, blanks around entries trimmed, empty entries dropped. */
  list: readonly string[];
  /** One or several absolute folder or file paths, comma separated. */
  paths: readonly string[];
  /** One path. */
  path: string;
  /** Cron expression of five or six fields, or a descriptor. */
  cron: string;
  /** IANA time zone name. */
  zone: string;
  /** Go (RE2) regular expression. */
  regexp: string;
  /** Comma separated globs over full paths. */
  globs: readonly string[];
  /** Pattern of an archive's name: strftime verbs and `{{ .Extension }}`. */
  filename: string;
  /** A path to a PEM file, or the PEM text itself; the value is the PEM text. */
  pem: string;
  /** Absolute http or https URL. */
  url: string;
  /** Comma separated notification URLs. */
  urls: readonly string[];
}

export type Kind = keyof Kinds;

export interface Setting<K extends Kind = Kind> {
  readonly key: string;
  readonly kind: K;
  /** As it would be written in an env file. Absent: unset unless the user sets it. */
  readonly default?: string;
  /** Only for `choice`. */
  readonly allowed?: readonly string[];
  /** Shown in the reference, e.g. `MB`, `days`. Durations and bytes carry their own. */
  readonly unit?: string;
  /** One or two sentences for the reference page. */
  readonly help: string;
  /** Never shown in logs, messages, history, print-config or records. */
  readonly secret?: true;
  /** Not known to the image that Lifeboat replaces. */
  readonly isNew?: true;
  /** What to use instead. Still honoured unless the text says otherwise. */
  readonly deprecated?: string;
  /** `KEY=` (empty) is the value itself, not the default (`BACKUP_ARCHIVE`) or is an error (`BACKUP_FILENAME`). */
  readonly whenEmpty?: "default" | "value" | "error";
  /** Read once for the whole process, from its environment only (`STATE_DIR`, `LOG_FORMAT`, …). */
  readonly processWide?: true;
  /** An extra rule over the parsed value. Returns what is wrong and what is allowed, without the value, or undefined. */
  check?(value: Kinds[K]): string | undefined;
  /**
   * What only the part's own code can tell about a value of the right kind; it may load that code. Asked once, when the
   * configuration is read. Gives warnings: the job runs nevertheless.
   */
  prove?(value: Kinds[K]): Promise<readonly string[]>;
}

/** A setting whose default makes `Values.get` always give a value. */
export type WithDefault<K extends Kind> = Setting<K> & { readonly default: string };

export interface Values {
  get<K extends Kind>(setting: WithDefault<K>): Kinds[K];
  get<K extends Kind>(setting: Setting<K>): Kinds[K] | undefined;
  /** True where the user set it (in the file, the environment, or through `KEY_FILE`), other than to the empty text. */
  isSet(setting: Setting): boolean;
}

/** A rule over several settings that is broken. `key` names the setting to look at first. */
export interface RuleBreak {
  readonly key: string;
  readonly message: string;
  readonly severity: "error" | "warning";
}

/** What one part of the program declares to `config/`. */
export interface PartSettings {
  /** Stable name, e.g. `s3`; the reference groups by it. */
  readonly part: string;
  /** The part that this one repeats with a number in its keys, for another destination of the same kind. */
  readonly original?: string;
  readonly title: string;
  readonly settings: readonly Setting[];
  /** Set while the part is declared but not built: a job that configures it is refused with this text. */
  readonly notBuilt?: string;
  /** Whether a job uses the part. Needed where `notBuilt` is set and for destinations. */
  isConfigured?(values: Values): boolean;
  rules?(values: Values): readonly RuleBreak[];
  /** Where archives go, for destinations: two jobs with the same text share a folder. Compared, never shown. */
  target?(values: Values): string;
}
