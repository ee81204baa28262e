const english =
  "a about all also am an and any are as at be because been being but by can cannot could did do does doing don't done " +
  'for from get gets getting had has have having he her here his how i if in into is it its just let like make makes ' +
  'many may me might more most much must my need no nor not of on one or our out over please shall she should so some ' +
  'such tell than that the their them then there these they this those through to too under until up us use used using ' +
  'very want was way we were what when where which while who whom whose why will with within would you your';

const englishWords = new Set(english.split(' '));

/** Whether an English word says nothing about what is asked. */
export function isEnglishStopWord(word: string): boolean {
  return englishWords.has(word);
}

/**
 * What surrounds a question in Japanese without being what is asked; the longest first. Each leaves a gap, so that
 * no term spans it.
 */
const questionPhrases = [
  '教えてください|教えて下さい|教えてほしい|教えて欲しい|教えて|おしえて|知りたい(?:です)?|わかりますか|分かりますか',
  'どうすれば(?:いい|よい|良い)?|どうやれば(?:いい|よい|良い)?|どうしたら(?:いい|よい|良い)?|どうやって|どうして|どうすべき',
  'どうなって(?:いる|いますか|います)?|どうなる|どういう|どんな|どのように|どのくらい|どれくらい|どれぐらい|どの程度|どの|どれ|どこ|どう',
  'とは何(?:ですか)?|とは(?:なに|なん)?(?:ですか)?|って何|なぜ|何故|なに|なん(?:です)?か|いつ|だれ|誰',
  '何(?:です)?か|何(?=[をがに%])',
  '(?:でき|あり|い|なり|し|れ|え)?ますか|(?:でき|あり|い|なり|し)ます|でしょうか|ですか|ください|下さい|ましょう|ました|ません',
  'べきか|だろうか|について|に関する|に関して|における|に対する|に対して|によって|による|ために|ための|として|という|といった',
  'したい|したとき|したら|してくれる|している|していい|してよい|しても|して(?=[^き])|すると|するには|するとき|する|された|される|されて|された',
  'ている|ていた|てある|てよい|ていい|てもよい|てもいい|ておく|てしまう|てしまった|てくれる|てほしい|たい(?=[。？?！!\\s]|$)',
  'こと|もの|とき|ところ|ため|よう|はず|まま|だけ|など|ほど|くらい|ぐらい|ながら|なら|から|まで|より|では|には|とは|のは|のに|ので',
];
const questionPhrase = new RegExp(questionPhrases.join('|'), 'gu');

/** Replaces what only makes a Japanese sentence a question by spaces of the same length. */
export function withoutQuestionPhrases(text: string): string {
  return text.replaceAll(questionPhrase, (phrase) => ' '.repeat(phrase.length));
}

/** Words so general that they are matched but hardly count: 方法, 場合. */
const general = new Set([
  '方法',
  '場合',
  '一覧',
  '内容',
  '使い方',
  '書き方',
  '例',
  '必要',
  '関係',
  '種類',
  '意味',
  '時',
  '何',
  '人',
  '物',
  '者',
  '上',
  '下',
  '中',
  '前',
  '後',
  '内',
  '外',
  '的',
  '用',
  '化',
  '性',
  '等',
  '件',
  '点',
  '行',
  '出',
  '入',
  '見',
  '言',
  '思',
  '方',
]);

/** Whether a Japanese word hardly tells passages apart. */
export function isGeneralJapanese(word: string): boolean {
  return general.has(word);
}
