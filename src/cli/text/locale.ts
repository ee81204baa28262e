import type { Catalog } from './catalog.ts';

/** The languages of human output. */
export const locales = ['en', 'ja'] as const;
export type Locale = (typeof locales)[number];

/** Decides the language: the flag, then the configuration (unless `auto`), then LC_ALL, LC_MESSAGES, LANG. */
export function chooseLocale(
  flag: string | undefined,
  configured: 'auto' | Locale | undefined,
  env: NodeJS.ProcessEnv,
): Locale {
  if (flag === 'en' || flag === 'ja') return flag;
  if (configured !== undefined && configured !== 'auto') return configured;
  // The first variable that is set decides, even if it names a language that is not spoken here.
  const name = [env.LC_ALL, env.LC_MESSAGES, env.LANG].find((value) => value !== undefined && value !== '');
  return /^ja(?:[_.@-]|$)/i.test(name ?? '') ? 'ja' : 'en';
}

/** Loads the texts of a language; only the one that is spoken is loaded. */
export async function loadCatalog(locale: Locale): Promise<Catalog> {
  return locale === 'ja' ? (await import('./ja.ts')).ja : (await import('./en.ts')).en;
}
