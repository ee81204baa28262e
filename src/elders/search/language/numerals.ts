const digits = '〇一二三四五六七八九';
const places: readonly (readonly [string, number])[] = [
  ['千', 1_000],
  ['百', 100],
  ['十', 10],
];
/** What numbers count or name; without it 一般 and 三者 would be numbers. 十分 means enough more often than ten minutes. */
const counted =
  /^(?:(?!十分|一人|一番|一方)[〇一二三四五六七八九十百千]{1,7})(?=[日月年時分秒回件個台本枚人名番章節項歳倍円点件割週])/u;

/** The number at the beginning of a Japanese text, written in digits, where it counts something: 90 for 九十日. */
export function numberIn(text: string): string | undefined {
  const numeral = counted.exec(text)?.[0];
  if (numeral === undefined) return undefined;
  if (!/[十百千]/u.test(numeral)) return [...numeral].map((one) => digits.indexOf(one)).join('');
  let sum = 0;
  let pending = 0;
  for (const one of numeral) {
    const place = places.find(([name]) => name === one)?.[1];
    if (place === undefined) pending = pending * 10 + digits.indexOf(one);
    else {
      sum += Math.max(1, pending) * place;
      pending = 0;
    }
  }
  return String(sum + pending);
}

/** A number of up to four digits in ideographs: 九十 for 90; undefined for any other text. */
export function numeralOf(text: string): string | undefined {
  if (!/^[1-9]\d{0,3}$/u.test(text)) return undefined;
  let rest = Number(text);
  let numeral = '';
  for (const [name, place] of places) {
    const count = Math.floor(rest / place);
    if (count > 0) numeral += `${count > 1 ? digits[count] : ''}${name}`;
    rest %= place;
  }
  return rest > 0 ? `${numeral}${digits[rest]}` : numeral;
}
