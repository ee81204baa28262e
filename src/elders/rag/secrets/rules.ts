/** A kind of secret, recognised by its form. */
export interface SecretRule {
  readonly id: string;
  readonly pattern: RegExp;
  /** One of these (in lower case) must stand in the text before the pattern is tried. */
  readonly keywords: readonly string[];
  /** The first group must have this much entropy (bits per character) to be a secret. */
  readonly entropy?: number;
}

/**
 * Patterns after the rules of gitleaks (github.com/gitleaks/gitleaks, config/gitleaks.toml, v8, MIT), with their names;
 * of its more than 200 rules those for what is met most and what the preset of secretlint leaves out, and its generic one.
 */
export const secretRules: readonly SecretRule[] = [
  {
    id: 'aws-access-token',
    pattern: /\b((?:A3T[A-Z0-9]|AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16})\b/gu,
    keywords: ['a3t', 'akia', 'asia', 'abia', 'acca'],
    entropy: 3,
  },
  {
    id: 'openai-api-key',
    pattern: /\b(sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,200})/gu,
    keywords: ['sk-'],
    entropy: 3.5,
  },
  {
    id: 'anthropic-api-key',
    pattern: /\b(sk-ant-[a-z]+\d\d-[A-Za-z0-9_-]{80,110})/gu,
    keywords: ['sk-ant-'],
    entropy: 3,
  },
  {
    id: 'slack-token',
    pattern: /\b(xox[abeoprs](?:\.xox[bp])?-[0-9a-zA-Z-]{10,250}|xapp-\d-[A-Z0-9]+-\d+-[a-z0-9]+)/giu,
    keywords: ['xox', 'xapp-'],
    entropy: 2,
  },
  {
    id: 'slack-webhook-url',
    pattern: /(hooks\.slack\.com\/(?:services|workflows|triggers)\/[A-Za-z0-9+/]{43,56})/gu,
    keywords: ['hooks.slack.com'],
  },
  {
    id: 'discord-webhook',
    pattern: /(discord(?:app)?\.com\/api\/webhooks\/\d{17,20}\/[\w-]{60,})/gu,
    keywords: ['api/webhooks'],
  },
  { id: 'gcp-api-key', pattern: /\b(AIza[\w-]{35})/gu, keywords: ['aiza'], entropy: 3 },
  { id: 'google-oauth-secret', pattern: /\b(GOCSPX-[\w-]{20,40})/gu, keywords: ['gocspx-'] },
  {
    id: 'npmrc-auth',
    pattern: /_(?:authToken|auth|password)\s*=\s*"?([^\s"$]{8,})/gu,
    keywords: ['_auth', '_password'],
    entropy: 2.5,
  },
  {
    id: 'pypi-upload-token',
    pattern: /\b(pypi-AgEIcHlwaS5vcmc[\w-]{50,1000})/gu,
    keywords: ['pypi-ageichlwas5vcmc'],
  },
  {
    id: 'digitalocean-token',
    pattern: /\b(do[opr]_v1_[a-f0-9]{64})\b/gu,
    keywords: ['doo_v1_', 'dop_v1_', 'dor_v1_'],
  },
  { id: 'telegram-bot-api-token', pattern: /\b(\d{8,10}:A[\w-]{34})\b/gu, keywords: ['telegr', 'bot'] },
  {
    id: 'age-secret-key',
    pattern: /\b(AGE-SECRET-KEY-1[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58})/gu,
    keywords: ['age-secret-key-1'],
  },
  {
    id: 'jwt',
    pattern: /\b(ey[a-zA-Z0-9]{17,}\.ey[a-zA-Z0-9/\\_-]{17,}\.[a-zA-Z0-9/\\_-]{10,}={0,2})/gu,
    keywords: ['ey'],
    entropy: 3,
  },
  { id: 'azure-storage-key', pattern: /AccountKey=([A-Za-z0-9+/]{80,}={0,2})/gu, keywords: ['accountkey='] },
  {
    id: 'url-password',
    pattern: /\b[a-z][a-z0-9+.-]{2,20}:\/\/[^\s:/@'"`<>]{0,64}:([^\s/@'"`<>{}$]{6,100})@[\w.-]+/gu,
    keywords: ['://'],
    entropy: 2.5,
  },
  {
    id: 'generic-api-key',
    pattern:
      /(?:access|auth|api|credential|creds|key|passw(?:or)?d|secret|token)[\w.-]{0,20}["'\]]{0,3}\s{0,3}(?:=|:{1,3}=?|=>|\|\||,)\s{0,5}["'`]?([\w.=+/-]{10,150})(?=["'`\s;,]|$)/giu,
    keywords: ['access', 'auth', 'api', 'credential', 'creds', 'key', 'passw', 'secret', 'token'],
    entropy: 3.5,
  },
];

/** Names of files that are made to hold secrets: not opened at all. */
export const secretNames =
  /^(?:\.env(?:\.(?!example$|sample$|template$|dist$|defaults?$).+)?|.+\.env|\.netrc|_netrc|\.pgpass|\.htpasswd|\.git-credentials|\.pypirc|\.dockercfg|credentials(?:\.(?:json|ya?ml|ini|csv))?|service[-_]?account.*\.json|client_secret.*\.json|secrets?\.(?:json|ya?ml|toml|ini|properties)|id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)?|.+\.(?:pem|key|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|tfstate|ovpn)(?:\.backup)?)$/iu;
