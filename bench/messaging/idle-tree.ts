export async function measureIdleTree(): Promise<unknown> {
  return null;
}
