import type { DirectiveSpec, TaskSpec } from '../src/protocol/directive.ts';
import type { Random } from './random.ts';

/** How a simulated command behaves in each of its attempts; the last line holds for all later ones. */
export interface Behaviour {
  /** Virtual ms. */
  readonly durationMs: number;
  readonly exitCode: number;
}

const marker = 'simulated command: ';

/** Reads how a simulated command behaves in an attempt, counted from 1. Throws on a command that is not simulated. */
export function behaviourOf(commandLine: string, attempt: number): Behaviour {
  if (!commandLine.startsWith(marker)) throw new Error(`not a simulated command: ${commandLine}`);
  const behaviours = JSON.parse(commandLine.slice(marker.length)) as Behaviour[];
  return behaviours[Math.min(attempt, behaviours.length) - 1] as Behaviour;
}

/** Mostly short; many so short that their servants are handed the next task ahead. */
function randomDuration(random: Random): number {
  if (random.chance(0.12)) return random.whole(1_000, 6_000);
  return random.chance(0.3) ? random.whole(5, 80) : random.whole(5, 700);
}

function randomTask(random: Random, index: number): TaskSpec {
  const failing = random.chance(0.15);
  const behaviours = Array.from({ length: random.whole(1, 4) }, () => ({
    durationMs: randomDuration(random),
    exitCode: random.chance(failing ? 0.7 : 0.05) ? random.whole(1, 3) : 0,
  }));
  const earlier = Array.from({ length: index }, (_, other) => `t${other + 1}`);
  const needs = new Set<string>();
  for (let count = index === 0 ? 0 : random.whole(0, 3); count > 0; count -= 1)
    needs.add(random.pick(earlier));
  return {
    id: `t${index + 1}`,
    run: `${marker}${JSON.stringify(behaviours)}`,
    needs: [...needs],
    retries: random.whole(0, 2),
    timeoutMs: random.chance(0.05) ? 200 : 60_000,
    priority: random.chance(0.5) ? 5 : random.whole(1, 10),
    env: {},
  };
}

/** Makes up a directive of 5 to 20 tasks; a few are such that the grand elder must reject them. */
export function randomDirective(random: Random, id: string): DirectiveSpec {
  const tasks = Array.from({ length: random.whole(5, 20) }, (_, index) => randomTask(random, index));
  const workspace = random.chance(0.05) ? '/' : `/workspace/${id}`;
  return { title: `directive ${id}`, goal: 'to be carried out', workspace, tasks };
}
