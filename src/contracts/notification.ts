/** What is told to people. Texts only: how they look is each service's matter. */
export interface NotificationMessage {
  /** Absent: a title that the URL may name counts. An empty one overrides it. */
  readonly title?: string;
  readonly body: string;
  readonly level: NotificationLevel;
  /** The job that it is about. */
  readonly job?: string;
  /** The run's status, or the name of another event. */
  readonly status?: string;
}

export type NotificationLevel = "error" | "info";

/** What became of one message at one URL. Holds no secret and never the URL. */
export interface SendReport {
  /** Stays the same while the URL does, across restarts; not the URL and not to be computed back into it. */
  readonly routeId: string;
  /** `ntfy 2`: the scheme and the place in the list. */
  readonly label: string;
  /** Every target (chat, recipient, room, part) has it. */
  readonly isDelivered: boolean;
  /** One line for each thing that went wrong; also what was noticed although it was delivered. */
  readonly problems: readonly string[];
  /** Another try could help: at least one failure was no answer, `429` or the server's own fault. */
  readonly canRetry: boolean;
  /** The targets that have it, by keys that stay the same from try to try; to be handed in as `skip` next time. */
  readonly deliveredTargets: readonly string[];
  readonly tookMs: number;
}
