import type { FunctionView } from '@switchyard/protocol/control-api';
import { toCell } from './table.ts';

/** Where an HTTP function answers; undefined for others, and when the app has no address. */
export function urlOf({ route }: FunctionView, baseUrl: string | undefined): string | undefined {
  if (route === undefined || baseUrl === undefined) return undefined;
  return `${baseUrl.replace(/\/+$/, '')}/${route.template.replace(/^\/+/, '')}`;
}

/** Name, trigger and address of functions, or why one does not run. */
export function describeRoutes(
  functions: readonly FunctionView[],
  baseUrl: string | undefined,
): readonly (readonly [name: string, trigger: string, where: string])[] {
  return functions.map((view) => [view.name, view.trigger, whereOf(view, baseUrl)]);
}

function whereOf(view: FunctionView, baseUrl: string | undefined): string {
  if (view.problem !== undefined) return toCell(`cannot run: ${view.problem}`);
  if (view.disabled) return 'disabled';
  const { route } = view;
  if (route === undefined) return '';
  const methods = route.methods.length === 0 ? '' : `${route.methods.join(',').toUpperCase()} `;
  const key = route.authLevel.toLowerCase() === 'anonymous' ? '' : ` (needs a ${route.authLevel.toLowerCase()} key)`;
  return `${methods}${urlOf(view, baseUrl) ?? route.template}${key}`;
}
