import path from 'node:path';
import { createSettingsView, type HostJson, parseHostJson, type SettingsView } from '@switchyard/model';
import type { RuntimeApplication } from '../contract.ts';
import type { RuntimeLimits } from '../limits.ts';

/** An app's settings and host.json, read once. */
export interface ResolvedApplication extends RuntimeApplication {
  readonly settingsView: SettingsView;
  readonly host: HostJson;
  /** How many workers the app wants. */
  readonly workerCount: number;
  /** The longest HTTP body that is held in memory. */
  readonly bodyLimitBytes: number;
  /** The longest HTTP body that is streamed to a worker: without a limit, unless the app names one. */
  readonly streamLimitBytes: number;
  /** `customHeaders` of host.json, name and value alternating, for every response of a function. */
  readonly responseHeaders: readonly string[];
  /** AzureWebJobsDisableHomepage: `/` answers 204. */
  readonly isHomepageDisabled: boolean;
  /** WEBSITE_AUTH_ENABLED: a proxy in front says who the caller is. */
  readonly isAuthenticatedInFront: boolean;
}

/** The most worker processes that an app gets from FUNCTIONS_WORKER_PROCESS_COUNT, as in the official host. */
const maxWorkerCount = 10;

/**
 * Resolves what the app's files and settings say of its host.
 * @throws PlatformError HOST_JSON_VERSION, HOST_JSON_INVALID
 */
export function resolveApplication(
  application: RuntimeApplication,
  scope: { readonly cpus: number; readonly limits: RuntimeLimits },
): ResolvedApplication {
  const { settings, development } = application;
  const settingsView = createSettingsView(settings);
  const where = path.join(application.scriptRoot, 'host.json');
  const ownLimitBytes = integerOf(settingsView.get('FUNCTIONS_REQUEST_BODY_SIZE_LIMIT'), 0, Number.MAX_SAFE_INTEGER);
  const host = parseHostJson(application.hostJson, { where, settings, development, cpus: scope.cpus });
  return {
    ...application,
    settingsView,
    host,
    responseHeaders: [...host.extensions.http.customHeaders].flat(),
    workerCount: integerOf(settingsView.get('FUNCTIONS_WORKER_PROCESS_COUNT'), 1, maxWorkerCount) ?? 1,
    bodyLimitBytes: ownLimitBytes ?? scope.limits.requestBodyBytes,
    streamLimitBytes: ownLimitBytes ?? Number.POSITIVE_INFINITY,
    isHomepageDisabled: isOn(settingsView.get('AzureWebJobsDisableHomepage')),
    isAuthenticatedInFront: isOn(settingsView.get('WEBSITE_AUTH_ENABLED')),
  };
}

function isOn(text: string | undefined): boolean {
  return /^\s*(true|1)\s*$/i.test(text ?? '');
}

/** The whole number in a setting, within its limits; undefined when it is none. */
function integerOf(text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined || !/^\s*\d{1,15}\s*$/.test(text)) return undefined;
  return Math.min(maximum, Math.max(minimum, Number(text)));
}
