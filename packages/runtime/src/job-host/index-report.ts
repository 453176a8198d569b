import type { Log } from '@switchyard/kernel';
import type { FunctionCatalog } from './function-catalog.ts';

/** The messages are those of the official host, which people and tools search for. */
const mapped = "Mapped function route '{route}' [{methods}] to '{functionName}'";
const unmapped = 'No HTTP routes mapped';
const rejected = "The '{functionName}' function is in error: {reason}";

const category = 'Host.Startup';

/** Tells what became of an app's functions: routes, rejections, and why there are none. */
export function reportIndex(log: Log, catalog: FunctionCatalog, problem: string | undefined): void {
  for (const { name, reason } of catalog.rejected) {
    log.write('error', rejected, { category, functionName: name, reason });
  }
  for (const { entry, template, methods } of catalog.router.routes) {
    const shown = methods.size === 0 ? 'all methods' : [...methods].join(',').toLowerCase();
    log.write('information', mapped, {
      category,
      route: template.text,
      methods: shown,
      functionName: entry.functionName,
    });
  }
  if (catalog.router.routes.length === 0) log.write('information', unmapped, { category });
  if (problem !== undefined) log.write('error', problem, { category });
}
