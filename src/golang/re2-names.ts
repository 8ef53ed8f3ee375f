/** Names of Unicode classes as Go 1.26 knows them. Scripts of two words are missing there too: it cannot find them. */

const CATEGORIES =
  "C Cc Cf Cn Co Cs L LC Ll Lm Lo Lt Lu M Mc Me Mn N Nd Nl No P Pc Pd Pe Pf Pi Po Ps S Sc Sk Sm So Z Zl Zp Zs";

const SCRIPTS =
  "Adlam Ahom Arabic Armenian Avestan Balinese Bamum Batak Bengali Bhaiksuki Bopomofo Brahmi Braille Buginese Buhid " +
  "Carian Chakma Cham Cherokee Chorasmian Common Coptic Cuneiform Cypriot Cyrillic Deseret Devanagari Dogra Duployan " +
  "Elbasan Elymaic Ethiopic Georgian Glagolitic Gothic Grantha Greek Gujarati Gurmukhi Han Hangul Hanunoo Hatran Hebrew " +
  "Hiragana Inherited Javanese Kaithi Kannada Katakana Kawi Kharoshthi Khmer Khojki Khudawadi Lao Latin Lepcha Limbu " +
  "Lisu Lycian Lydian Mahajani Makasar Malayalam Mandaic Manichaean Marchen Medefaidrin Miao Modi Mongolian Mro Multani " +
  "Myanmar Nabataean Nandinagari Newa Nko Nushu Ogham Oriya Osage Osmanya Palmyrene Phoenician Rejang Runic Samaritan " +
  "Saurashtra Sharada Shavian Siddham Sinhala Sogdian Soyombo Sundanese Syriac Tagalog Tagbanwa Takri Tamil Tangsa " +
  "Tangut Telugu Thaana Thai Tibetan Tifinagh Tirhuta Toto Ugaritic Vai Vithkuqi Wancho Yezidi Yi";

const ALIASES =
  "Casedletter LC Closepunctuation Pe Combiningmark M Connectorpunctuation Pc Control Cc Currencysymbol Sc " +
  "Dashpunctuation Pd Decimalnumber Nd Enclosingmark Me Finalpunctuation Pf Format Cf Initialpunctuation Pi Letter L " +
  "Letternumber Nl Lineseparator Zl Lowercaseletter Ll Mark M Mathsymbol Sm Modifierletter Lm Modifiersymbol Sk " +
  "Nonspacingmark Mn Number N Openpunctuation Ps Other C Otherletter Lo Othernumber No Otherpunctuation Po Othersymbol So " +
  "Paragraphseparator Zp Privateuse Co Punctuation P Separator Z Spaceseparator Zs Spacingmark Mc Surrogate Cs Symbol S " +
  "Titlecaseletter Lt Unassigned Cn Uppercaseletter Lu Cntrl Cc Digit Nd Punct P";

/** A class by the name that the engine knows; `isNegated` where Go's name means the opposite of it. */
export interface UnicodeClass {
  readonly name: string;
  readonly isNegated: boolean;
}

/** Finds `letter`, `Upper-Case Letter`, `greek`, … as Go does, ignoring case, blanks, `_` and `-`; undefined if there is none. */
export function unicodeClass(written: string): UnicodeClass | undefined {
  const name = canonical(written);
  if (name === "Any") return { name, isNegated: false };
  if (name === "Assigned") return { name: "Cn", isNegated: true };
  if (name === "Ascii") return { name: "ASCII", isNegated: false };
  if (name === "Lc") return { name: "LC", isNegated: false };
  const known = words(CATEGORIES).includes(name) || words(SCRIPTS).includes(name) ? name : aliasOf(name);
  return known === undefined ? undefined : { name: known, isNegated: false };
}

function aliasOf(name: string): string | undefined {
  const entries = words(ALIASES);
  const at = entries.findIndex((entry, index) => index % 2 === 0 && entry === name);
  return at === -1 ? undefined : entries[at + 1];
}

function words(list: string): string[] {
  return list.split(" ");
}

/** One capital, then small letters; only ASCII letters are changed. */
function canonical(written: string): string {
  const joined = written.replaceAll(/[_ -]/g, "");
  const first = joined.slice(0, 1).replace(/[a-z]/, (letter) => letter.toUpperCase());
  return first + joined.slice(1).replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}
