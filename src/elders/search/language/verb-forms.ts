/** The kana that stand where the dictionary form of a verb has the key: 書か, 書き, 書け, 書こ and 書い of 書く. */
const rows: Readonly<Record<string, string>> = {
  う: 'わいえおっ',
  く: 'かきけこい',
  ぐ: 'がぎげごい',
  す: 'さしせそ',
  つ: 'たちてとっ',
  ぬ: 'なにねのん',
  ぶ: 'ばびべぼん',
  む: 'まみめもん',
  る: 'らりれろっ',
  い: 'くかけさ',
};

const endingsOf = new Map<string, string[]>();
for (const [ending, forms] of Object.entries(rows)) {
  for (const form of forms) endingsOf.set(form, [...(endingsOf.get(form) ?? []), ending]);
}

/** The dictionary forms that a form may belong to: 書く and 書ぐ for 書い, 調べる for 調べ. */
export function dictionaryForms(form: string): string[] {
  const stem = form.slice(0, -1);
  const endings = endingsOf.get(form.at(-1) ?? '') ?? [];
  return [`${form}る`, `${stem}る`, ...endings.map((ending) => stem + ending)];
}

/** The forms in which a verb or adjective of one ideograph stands most often: 書く, 書き and 書い. */
export function usualForms(stem: string, ending: string): string[] {
  const forms = rows[ending] ?? '';
  if (ending === 'い') return [`${stem}い`, `${stem}く`];
  const beforeTa = /[いっん]$/u.exec(forms)?.[0];
  return [ending, forms[1] ?? '', ...(beforeTa === undefined ? [] : [beforeTa])].map((kana) => stem + kana);
}
