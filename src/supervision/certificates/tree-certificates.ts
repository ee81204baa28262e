import { once, setMaxListeners } from 'node:events';
import type { Authority } from '../../identity/authority.ts';
import type { TrustOptions } from '../../identity/trust.ts';
import { CertificateRegister } from './certificate-register.ts';

/** One running process that has a certificate, and what it is known to go by. */
export interface Holder {
  readonly name: string;
  readonly incarnation: number;
  /** Version of the trust that it has confirmed. */
  trustVersion: number;
  /** Root by which its present certificate was signed; `null` while that is not known. */
  root: string | null;
  /** Gives it a new certificate now; `null` until it serves. */
  renew: (() => Promise<void>) | null;
}

/** Knows no version yet, so that it is told the present one. */
const unknownVersion = -1;

/**
 * The certificates of one tree: what was issued, what is revoked, whom to trust, and which processes have
 * confirmed it. Each change of trust has a number; a process is told until it has confirmed the last.
 */
export class TreeCertificates {
  readonly authority: Authority;
  readonly register: CertificateRegister;
  readonly #holders = new Set<Holder>();
  readonly #changes = new EventTarget();
  #version = 0;

  private constructor(authority: Authority, register: CertificateRegister) {
    this.authority = authority;
    this.register = register;
    // As many as there are processes to tell.
    setMaxListeners(0, this.#changes);
    authority.onIssue((issue) => register.note(issue));
  }

  /** Throws `config_invalid` when the register is damaged. */
  static async open(authority: Authority, registerPath: string): Promise<TreeCertificates> {
    return new TreeCertificates(authority, await CertificateRegister.open(registerPath));
  }

  get version(): number {
    return this.#version;
  }

  /** Whom everybody in the tree is to trust now. */
  get trust(): TrustOptions {
    return { ca: this.authority.caPem, revoked: this.register.revoked };
  }

  get holders(): readonly Holder[] {
    return [...this.#holders];
  }

  /** Notes a process that runs; `told`: it gets, or has, the present trust and a certificate of the present root. */
  hold(name: string, incarnation: number, told: boolean): Holder {
    const holder: Holder = {
      name,
      incarnation,
      trustVersion: told ? this.#version : unknownVersion,
      root: told ? this.authority.fingerprint : null,
      renew: null,
    };
    this.#holders.add(holder);
    return holder;
  }

  /** Forgets a process that has ended. */
  release(holder: Holder): void {
    if (this.#holders.delete(holder)) this.#tell();
  }

  /** Notes what a process has confirmed. */
  confirm(holder: Holder, change: Partial<Pick<Holder, 'trustVersion' | 'root' | 'renew'>>): void {
    Object.assign(holder, change);
    this.#tell();
  }

  /** Has everybody told whom to trust now. */
  trustChanged(): void {
    this.#version += 1;
    this.#tell();
  }

  /** Revokes certificates, durably, and has everybody told; resolves to their serial numbers. */
  async revoke(...args: Parameters<CertificateRegister['revoke']>): Promise<string[]> {
    const serials = await this.register.revoke(...args);
    if (serials.length > 0) this.trustChanged();
    return serials;
  }

  /** Resolves when the condition holds for every process that runs; rejects when the signal aborts. */
  async everyone(condition: (holder: Holder) => boolean, signal: AbortSignal): Promise<void> {
    while (![...this.#holders].every(condition)) await this.changed(signal);
  }

  /** Resolves at the next change of trust, of a process or of what one has confirmed. */
  async changed(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    await once(this.#changes, 'change', { signal });
  }

  #tell(): void {
    this.#changes.dispatchEvent(new Event('change'));
  }
}
