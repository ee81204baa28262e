import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { z } from 'zod';
import type { Schema } from './sample.ts';

/** A schema with a validator that shares no code with the one the product uses. */
export interface Oracle {
  readonly schema: Schema;
  readonly allows: (value: unknown) => boolean;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false, logger: false });

/** Builds the independent validator of what a schema takes in. */
export function oracleOf(type: z.ZodType): Oracle {
  const schema = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any' }) as Schema;
  const validate: ValidateFunction = ajv.compile(schema);
  return { schema, allows: (value) => validate(value) };
}
