/** What a place's clock shows, for any instant. Seconds since 1970. */
export interface Zone {
  /** Seconds east of UTC. */
  offsetAt(epochSeconds: number): number;
  /** What Go prints for `%Z`: `CET`, `EST`, or the number where tzdata has no letters: `+1030`. */
  abbreviationAt(epochSeconds: number): string;
}
