import { RE2JS } from "re2js";
export interface Re2 { test(text: string | Uint8Array): boolean; find(text: string | Uint8Array): readonly [start: number, end: number] | undefined; }
function decode(text: string | Uint8Array): string {
  if (typeof text === "string") return text.isWellFormed() ? text : text.toWellFormed();
  const b = Buffer.from(text.buffer, text.byteOffset, text.byteLength);
  let out="";
  for(let i=0;i<b.length;){ let w=1; let s="\ufffd"; const l=b[i]??0; const n=l<0x80?1:l>=0xc2&&l<0xe0?2:l>=0xe0&&l<0xf0?3:l>=0xf0&&l<0xf5?4:0;
    if(n>0&&i+n<=b.length){const t=b.toString("utf8",i,i+n); if(!t.includes("\ufffd")||(n===3&&l===0xef&&b[i+1]===0xbf&&b[i+2]===0xbd)){s=t;w=n}}
    out+=s;i+=w;}
  return out;
}
export function compileRe2(pattern: string): Re2 {
  const re = RE2JS.compile(pattern);
  return { test: (t)=>re.test(decode(t)), find: (t)=>{const s=decode(t); const m=re.matcher(s); if(!m.find())return undefined; return [m.start(0),m.end(0)];} };
}
