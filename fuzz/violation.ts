/** What must not happen, with the input that made it happen. */
export class Violation extends Error {
  override readonly name = 'Violation';

  constructor(what: string, input: unknown) {
    super(`${what}: ${(JSON.stringify(input) ?? String(input)).slice(0, 2_000)}`);
  }
}
