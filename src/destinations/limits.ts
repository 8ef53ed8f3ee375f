/*
 * How long a remote store may stay silent. Together they keep the promise that one which never answers is given up within
 * four minutes, all attempts included.
 */

/** Resolving the name, connecting and the TLS or SSH handshake, milliseconds. */
export const CONNECT_MS = 15_000;

/** No byte in either direction while a call waits for one, milliseconds. */
export const IDLE_MS = 50_000;

/** No call has succeeded for this long, all retries included, milliseconds. */
export const SILENCE_MS = 200_000;

/** A call that moves little data (a listing page, a removal, a rename), milliseconds. */
export const SMALL_CALL_MS = 100_000;
