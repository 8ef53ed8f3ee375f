import { type ByteString, runeCount } from "./byte-string.ts";

/** Flags, width and precision of one verb, as Go's `fmt` keeps them. */
export interface FormatState {
  readonly plus: boolean;
  readonly minus: boolean;
  readonly sharp: boolean;
  readonly space: boolean;
  readonly zero: boolean;
  /** `%+v` and `%#v` are not signs and prefixes but other ways to print. */
  readonly plusV: boolean;
  readonly sharpV: boolean;
  readonly width: number | undefined;
  readonly precision: number | undefined;
}

export const PLAIN: FormatState = {
  plus: false,
  minus: false,
  sharp: false,
  space: false,
  zero: false,
  plusV: false,
  sharpV: false,
  width: undefined,
  precision: undefined,
};

/** Fills up to the width, counted in runes. */
export function pad(text: ByteString, state: FormatState): ByteString {
  const missing = (state.width ?? 0) - runeCount(text);
  if (missing <= 0) return text;
  return state.minus ? text + " ".repeat(missing) : (state.zero ? "0" : " ").repeat(missing) + text;
}
