/** The published v3 library, unchanged; it has no typed entry for what workers use. */
export async function loadV3Library(): Promise<{ setup(): void }> {
  const module: unknown = await import('azure-functions-v3');
  const exports = (module as { default?: unknown }).default ?? module;
  return exports as { setup(): void };
}
