import { join } from 'node:path';
import { isPlatformError, messageOf } from '@switchyard/kernel';
import { type CustomHandlerSettings, parseHostJson, parseJsonText } from '@switchyard/model';
import { customWorkerErrors } from './errors.ts';
import { type HttpRoute, parseHttpRoutes } from './http-routes.ts';

/** What the worker takes from an app's host.json. */
export interface AppSettings {
  readonly scriptRoot: string;
  readonly handler: CustomHandlerSettings;
  /** Undefined: an invocation may take for ever. */
  readonly functionTimeoutMs: number | undefined;
  /** Functions that host.json describes instead of function.json files. */
  readonly routes: readonly HttpRoute[];
}

export interface AppSource {
  readonly scriptRoot: string;
  readonly environment: Readonly<Record<string, string>>;
  /** The text of a file, or undefined when there is none. */
  readonly readText: (path: string) => Promise<string | undefined>;
}

/**
 * Reads host.json in the app's folder; settings that start with `AzureFunctionsJobHost__` override it.
 * @throws PlatformError CUSTOM_HANDLER_MISSING, CUSTOM_HANDLER_HOST_JSON, CUSTOM_ROUTE_INVALID
 */
export async function readAppSettings({ scriptRoot, environment, readText }: AppSource): Promise<AppSettings> {
  const file = join(scriptRoot, 'host.json');
  const unreadable = (thrown: unknown): never => {
    throw customWorkerErrors.create('CUSTOM_HANDLER_HOST_JSON', { file, reason: messageOf(thrown) }, thrown);
  };
  try {
    const text = await readText(file);
    const source = text === undefined ? undefined : parseJsonText(text, file);
    const settings = Object.entries(environment);
    const host = parseHostJson(source, { where: file, settings, development: false, cpus: 1 });
    if (host.customHandler === undefined) throw customWorkerErrors.create('CUSTOM_HANDLER_MISSING', { file });
    const routes = parseHttpRoutes(host.customHandler.http, file);
    return { scriptRoot, handler: host.customHandler, functionTimeoutMs: host.functionTimeoutMs, routes };
  } catch (thrown) {
    if (isPlatformError(thrown) && thrown.code.startsWith('CUSTOM_')) throw thrown;
    return unreadable(thrown);
  }
}
