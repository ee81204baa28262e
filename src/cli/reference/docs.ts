import { actionsReference } from './actions.ts';
import { cliReference } from './cli.ts';
import { configReference } from './config.ts';
import { errorsReference, exitCodesReference } from './errors.ts';
import { jsonSchemas } from './json-schemas.ts';
import { permissionsReference } from './permissions.ts';

/** Makes every file of `docs/reference` from the tables of the code, by file name. */
export function referenceDocs(): Map<string, string> {
  return new Map([
    ['cli.md', cliReference()],
    ['config.md', configReference()],
    ['errors.md', errorsReference()],
    ['exit-codes.md', exitCodesReference()],
    ['messages.md', actionsReference()],
    ['permissions.md', permissionsReference()],
    ...jsonSchemas(),
  ]);
}
