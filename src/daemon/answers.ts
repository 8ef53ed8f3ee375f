import type { HealAnswer, TendAnswer } from "../contracts/task.ts";

/** What a child wrote on file descriptor 3; a child that was killed may have written anything. */
export function asHealAnswer(answer: unknown): HealAnswer | undefined {
  if (typeof answer !== "object" || answer === null || !("lastFiredAtMs" in answer) || !("said" in answer))
    return undefined;
  const { lastFiredAtMs, said } = answer;
  if (typeof lastFiredAtMs !== "object" || lastFiredAtMs === null || !Array.isArray(said)) return undefined;
  const times: Record<string, number> = {};
  for (const [job, value] of Object.entries(lastFiredAtMs)) if (typeof value === "number") times[job] = value;
  return {
    lastFiredAtMs: times,
    said: said.filter((text) => typeof text === "string"),
    pending: leavesPending(answer),
  };
}

/** Something still waits to be delivered. */
export function leavesPending(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "pending" in answer && answer.pending === true;
}

/** A run that came to its end has recorded itself and says so; any other has to be looked after. */
export function hasReported(answer: unknown): boolean {
  return typeof answer === "object" && answer !== null && "recorded" in answer && answer.recorded === true;
}

/** When something is to be done between runs, as a `run` or `tend` child answers it. */
export function tendTimeOf(answer: unknown): number | undefined {
  if (typeof answer !== "object" || answer === null || !("tendAtMs" in answer)) return undefined;
  return typeof answer.tendAtMs === "number" ? answer.tendAtMs : undefined;
}

export function alertedOf(answer: unknown): TendAnswer["alerted"] | undefined {
  if (typeof answer !== "object" || answer === null || !("alerted" in answer)) return undefined;
  return Array.isArray(answer.alerted) ? answer.alerted.filter((job) => typeof job === "string") : undefined;
}
