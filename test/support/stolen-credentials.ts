import {
  createDecipheriv,
  createPrivateKey,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { launch } from '../../src/cli/launch.ts';
import type { RedisCredential, RedisLogins, StartOrder } from '../../src/protocol/bootstrap.ts';
import type { StateFolder } from '../../src/protocol/state-folder.ts';
import type { ElderProgram } from '../../src/supervision/isolation/elder-program.ts';

/** What an elder had in its memory when it was started last. */
export interface Stolen {
  readonly privateKey: KeyObject;
  readonly certificate: X509Certificate;
  readonly ca: string;
  readonly redis: RedisCredential;
}

/**
 * Real elders that note what they hold in their memory, encrypted, in a file of their own: so a test knows the keys that no
 * elder ever tells, and can look for them or use them as a thief would. A SIGUSR2 crashes such an elder.
 */
export class StolenCredentials {
  readonly #cipher = randomBytes(32);
  readonly #folder = mkdtempSync(join(tmpdir(), 'elders-thief-'));

  /** The program of the elders. */
  get program(): ElderProgram {
    const path = join(this.#folder, 'preload.mjs');
    writeFileSync(path, preload(this.#cipher));
    const { files } = launch;
    if (files === undefined) throw new Error('the program has files');
    return {
      ...launch,
      args: (name) => ['--import', path, ...launch.args(name)],
      files: { ...files, program: [...files.program, this.#folder] },
    };
  }

  /** Every private key that an elder has made so far. */
  keysOf(folder: StateFolder, name: string): KeyObject[] {
    return this.#notes(folder, name).flatMap(({ key }) => (key === undefined ? [] : [readKey(key)]));
  }

  /** What an elder holds since its last start. */
  of(folder: StateFolder, name: string): Stolen {
    const notes = this.#notes(folder, name);
    const order = notes.findLast((note) => note.order !== undefined)?.order;
    const redis = notes.findLast((note) => note.logins !== undefined)?.logins?.credentials[name];
    if (order === undefined || redis === undefined) throw new Error(`${name} has noted no order`);
    const certificate = new X509Certificate(order.certificate);
    const privateKey = this.keysOf(folder, name).find((key) => certificate.checkPrivateKey(key));
    if (privateKey === undefined) throw new Error(`${name} has noted no key of its certificate`);
    return { privateKey, certificate, ca: order.ca, redis };
  }

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #notes(folder: StateFolder, name: string): { key?: string; order?: StartOrder; logins?: RedisLogins }[] {
    const path = join(dirname(folder.logFile(name)), 'noted');
    return readFileSync(path, 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const sealed = Buffer.from(line, 'base64');
        const opened = createDecipheriv('aes-256-gcm', this.#cipher, sealed.subarray(0, 12));
        opened.setAuthTag(sealed.subarray(-16));
        return JSON.parse(
          Buffer.concat([opened.update(sealed.subarray(12, -16)), opened.final()]).toString(),
        );
      });
  }
}

function readKey(pkcs8: string): KeyObject {
  return createPrivateKey({ key: Buffer.from(pkcs8, 'base64'), format: 'der', type: 'pkcs8' });
}

/** The program of JavaScript that each elder loads before its own. */
function preload(cipher: Buffer): string {
  return `
import crypto from 'node:crypto';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
const note = (value) => {
  const iv = crypto.randomBytes(12);
  const seal = crypto.createCipheriv('aes-256-gcm', Buffer.from('${cipher.toString('hex')}', 'hex'), iv);
  const sealed = [iv, seal.update(JSON.stringify(value)), seal.final(), seal.getAuthTag()];
  fs.appendFileSync('.elders/log/' + process.argv.at(-1) + '/noted', Buffer.concat(sealed).toString('base64') + '\\n');
};
const make = crypto.generateKeyPairSync;
crypto.generateKeyPairSync = (...args) => {
  const pair = make(...args);
  note({ key: pair.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64') });
  return pair;
};
syncBuiltinESMExports();
const parse = JSON.parse;
JSON.parse = (...args) => {
  const value = parse(...args);
  if (value?.kind === 'start' && value.certificate) note({ order: value });
  if (value?.kind === 'credentials') note({ logins: value });
  return value;
};
process.on('SIGUSR2', () => process.abort());
`;
}
