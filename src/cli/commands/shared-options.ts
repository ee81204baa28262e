import type { ArgumentSpec, OptionSpec, OptionValue } from '../command-spec.ts';

/** The id of what the command is about. */
export const id: ArgumentSpec = { name: 'id', required: true };

/** A task, as DIRECTIVE/TASK. */
export const task: ArgumentSpec = { name: 'task', required: true };

/** Why; kept with what is changed. */
export const reason: OptionSpec = { name: 'reason', value: { placeholder: 'TEXT', kind: 'text' } };

/** How long to wait. */
export const timeout: OptionSpec = { name: 'timeout', value: { placeholder: 'DURATION', kind: 'duration' } };

/** An option that takes a whole number from 1. */
export function count(name: string, maximum: number, short?: string): OptionSpec {
  const value: OptionValue = { placeholder: 'N', kind: 'number', minimum: 1, maximum };
  return short === undefined ? { name, value } : { name, short, value };
}

/** An option that takes any text. */
export function text(name: string, placeholder: string): OptionSpec {
  return { name, value: { placeholder, kind: 'text' } };
}
