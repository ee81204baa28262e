import { renameSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Issue } from '../../identity/authority.ts';
import { type CertificateRow, certificateRow } from '../../protocol/certificates.ts';
import { ElderError } from '../../protocol/errors.ts';
import { writeFileAtomic } from '../atomic-file.ts';

const registerFile = z.object({ certificates: z.array(certificateRow) });
/** A certificate that is over is still listed for this long (ms). */
const keepExpiredMs = 600_000;
/** The last one of a process that sleeps, or has no manager, is remembered for this long (ms), so that it can be renewed. */
const keepCurrentMs = 7 * 24 * 3_600_000;

/**
 * Every certificate that this tree's authority has issued and that is not over, kept in a file so that what was
 * revoked stays revoked when the manager is started anew. Nothing in it is a secret.
 */
export class CertificateRegister {
  readonly #path: string;
  #rows: CertificateRow[];

  private constructor(path: string, rows: CertificateRow[]) {
    this.#path = path;
    this.#rows = rows;
  }

  /** Reads the register, or begins one. Throws `config_invalid` when the file is damaged. */
  static async open(path: string): Promise<CertificateRegister> {
    const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '{"certificates":[]}';
      throw error;
    });
    try {
      return new CertificateRegister(path, registerFile.parse(JSON.parse(text)).certificates);
    } catch (cause) {
      const reason = `${path} is damaged; without it nobody knows which certificates were revoked: rotate the authority`;
      throw new ElderError('config_invalid', reason, { cause });
    }
  }

  /** Every certificate, by name and then the newest first. */
  get rows(): CertificateRow[] {
    const now = Date.now();
    return this.#rows
      .map((row) =>
        row.expiresAt <= now && row.state !== 'revoked' ? { ...row, state: 'expired' as const } : row,
      )
      .toSorted((a, b) => a.name.localeCompare(b.name) || b.issuedAt - a.issuedAt);
  }

  /** Tells whether a certificate is the last one that its holder was given, and not revoked, though it may be over. */
  isCurrent(serial: string): boolean {
    return this.#rows.some((row) => row.serial === serial && row.state === 'current');
  }

  /** Serial numbers that must be refused: revoked, and not over yet. */
  get revoked(): string[] {
    const now = Date.now();
    return this.#rows
      .filter((row) => row.state === 'revoked' && row.expiresAt > now)
      .map(({ serial }) => serial);
  }

  /** Notes a certificate before anybody has it. */
  note(issue: Issue): void {
    const { name, serial, subjectAltName, notAfter, incarnation } = issue;
    const now = Date.now();
    this.#rows = this.#rows
      .filter(
        ({ expiresAt, state }) => expiresAt + (state === 'current' ? keepCurrentMs : keepExpiredMs) > now,
      )
      .map((row) => (row.name === name && row.state === 'current' ? { ...row, state: 'superseded' } : row));
    this.#rows.push({
      name,
      serial,
      subjectAltName,
      incarnation,
      issuedAt: now,
      expiresAt: notAfter,
      state: 'current',
      revokedAt: null,
      reason: null,
    });
    // Not flushed to the disk: when the power fails, every process that could show it is gone too.
    const temporary = `${this.#path}.note`;
    writeFileSync(temporary, this.#text(), { mode: 0o600 });
    renameSync(temporary, this.#path);
  }

  /** Revokes what the filter picks of those that are neither over nor revoked, durably; resolves to their serial numbers. */
  async revoke(pick: (row: CertificateRow) => boolean, reason: string): Promise<string[]> {
    const revokedAt = Date.now();
    const picked = new Set(
      this.#rows
        .filter((row) => row.state !== 'revoked' && row.expiresAt > revokedAt && pick(row))
        .map(({ serial }) => serial),
    );
    if (picked.size === 0) return [];
    this.#rows = this.#rows.map((row) =>
      picked.has(row.serial) ? { ...row, state: 'revoked', revokedAt, reason } : row,
    );
    // What was noted while the file was being written would be missing from it.
    for (let text = ''; text !== this.#text(); ) {
      text = this.#text();
      await writeFileAtomic(this.#path, text);
    }
    return [...picked];
  }

  #text(): string {
    return `${JSON.stringify({ certificates: this.#rows }, null, 1)}\n`;
  }
}
