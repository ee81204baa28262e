import { aclRules } from '../src/identity/redis-acl.ts';
import { createRedisUser } from '../src/identity/redis-user.ts';
import { principals } from '../src/protocol/edges.ts';
import { roster } from '../src/protocol/roster.ts';
import { verifyAudit } from '../src/telemetry/audit/verify-audit.ts';
import { tryApprovals } from './attack-approvals.ts';
import { tryCertificates, tryPorts } from './attack-certificates.ts';
import { messagesHandled, tryMessages } from './attack-messages.ts';
import { type LoginTarget, type Stolen, tryCommands, tryLogins } from './attack-redis.ts';
import { tryOldCredential, tryReplay } from './attack-replay.ts';
import { AttackTree } from './attack-tree.ts';
import { agree, auditedDenials } from './audited.ts';
import type { Guard } from './guards.ts';
import { listCommands } from './redis-commands.ts';
import { Tally } from './tally.ts';

export interface AttackOptions {
  readonly servants: number;
  /** Whom to attack as; all when left out. */
  readonly identities?: readonly string[];
  /** Leaves out the bad certificates and the ports. */
  readonly withoutPorts?: boolean;
  /** Switches a guard off, for tests: the run must find out. */
  readonly off?: Guard | 'acl' | null;
  readonly say: (text: string) => void;
  readonly signal: AbortSignal;
}

export interface AttackReport {
  readonly schemaVersion: 1;
  readonly ok: boolean;
  readonly attempts: number;
  readonly denied: number;
  readonly audited: number;
  readonly parts: Readonly<Record<string, { attempts: number; denied: number }>>;
  readonly identities: number;
  readonly commands: number;
  readonly certificateKinds: number;
  readonly controls: number;
  readonly failedControls: readonly string[];
  readonly breaches: readonly string[];
  /** Denied, but not in the audit log. */
  readonly missing: readonly string[];
  /** In the audit log, but not denied to the attacker. */
  readonly unexplained: readonly string[];
  readonly auditIntact: boolean;
  readonly seconds: number;
}

/** Number of the incarnation under which the runner plays principals that have no process of their own to own. */
const playedIncarnation = 999_999;

/** Makes a user with the rights of the manager or the auditor, who live in the manager's process. */
async function playedBy(tree: AttackTree, name: string): Promise<Stolen> {
  const { credential, passwordHash } = createRedisUser(tree.tree, name, playedIncarnation);
  const rules = aclRules({ tree: tree.tree, name, servants: tree.servants, passwordSha256: passwordHash });
  await tree.admin.command(['ACL', 'SETUSER', credential.username, ...rules]);
  const { door } = await tree.loot('grand_elder');
  return { name, servants: tree.servants, door, credential };
}

async function stolenFrom(tree: AttackTree, elder: string, name: string): Promise<Stolen> {
  const { door, credentials } = await tree.loot(elder);
  const credential = credentials[name];
  if (!credential) throw new Error(`${elder} was given no credential for ${name}`);
  return { name, servants: tree.servants, door, credential };
}

async function loginTargets(tree: AttackTree): Promise<LoginTarget[]> {
  const targets: LoginTarget[] = ['admin', 'default', 'nobody'].map((name) => ({
    username: name,
    subject: name,
  }));
  for (const { name } of tree.elders) {
    for (const [subject, { username }] of Object.entries((await tree.loot(name)).credentials)) {
      targets.push({ username, subject });
    }
  }
  return targets;
}

/** Attacks a real tree from within each of its processes and judges what came of it. */
export async function runAttack(options: AttackOptions): Promise<AttackReport> {
  const { servants, identities, withoutPorts = false, off = null, say, signal } = options;
  const began = Date.now();
  const tally = new Tally();
  const tree = await AttackTree.start({
    ...{ servants, signal },
    off: off === 'acl' ? null : off,
    leaveWidened: off === 'acl',
  });
  try {
    const { admin } = tree;
    say(`a tree of ${tree.elders.length} elders runs, every process of it in the hands of the attacker`);
    const commands = await listCommands(admin);
    const wanted = (name: string) => identities === undefined || identities.includes(name);
    let played = 0;
    for (const { name: elder } of tree.elders) {
      signal.throwIfAborted();
      const names = Object.keys((await tree.loot(elder)).credentials).filter(wanted);
      if (names.length === 0) continue;
      await tree.hold(elder);
      const targets = await loginTargets(tree);
      const stolen = await Promise.all(names.map((name) => stolenFrom(tree, elder, name)));
      for (const each of stolen) {
        const { username } = each.credential;
        if (off === 'acl') await admin.command(['ACL', 'SETUSER', username, '%R~*']);
        await tryCommands(each, commands, tally);
        await tryLogins(each, targets, tally);
        await tryMessages(each, tally);
        await tryReplay(each, tally);
        played += 1;
        say(
          `${each.name}: ${tally.attempts} attempts, ${tally.denied} denied, ${tally.breachCount} got through`,
        );
      }
      await tree.replace(elder);
      for (const each of stolen) {
        await tryOldCredential(each, tally);
        // Only now do those receive who live in the same process.
        await messagesHandled(admin, each);
      }
    }
    // The manager itself is trusted; what its users in Redis may do is held to the table all the same.
    const elders = new Set(roster(servants).map(({ name }) => name));
    const inManager = principals(roster(servants)).filter((name) => !elders.has(name) && name !== 'gateway');
    for (const name of inManager.filter(wanted)) {
      const each = await playedBy(tree, name);
      await tryCommands(each, commands, tally);
      played += 1;
      say(`${name}: ${tally.attempts} attempts, ${tally.denied} denied, ${tally.breachCount} got through`);
    }
    let certificateKinds = 0;
    if (!withoutPorts) {
      await tryPorts(tree, tally);
      await tryApprovals(tree.folder, tally, signal);
      certificateKinds = await tryCertificates(tree, tally);
      say(`ports: ${tally.attempts} attempts, ${tally.denied} denied, ${tally.breachCount} got through`);
    }
    await tree.stop();
    const { audited, missing, unexplained } = agree(tally.expected, await auditedDenials(tree.folder.audit));
    const verdict = await verifyAudit(tree.folder.audit, null);
    const ok =
      tally.breachCount === 0 &&
      tally.failedControls.length === 0 &&
      missing.length === 0 &&
      unexplained.length === 0 &&
      verdict.ok;
    return {
      schemaVersion: 1,
      ok,
      attempts: tally.attempts,
      denied: tally.denied,
      audited,
      parts: Object.fromEntries(tally.parts),
      identities: played,
      commands: commands.length,
      certificateKinds,
      controls: tally.controls,
      failedControls: tally.failedControls.slice(0, 20),
      breaches: tally.breaches,
      missing,
      unexplained,
      auditIntact: verdict.ok,
      seconds: Math.round((Date.now() - began) / 100) / 10,
    };
  } finally {
    await tree.remove();
  }
}
