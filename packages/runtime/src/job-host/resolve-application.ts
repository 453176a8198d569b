import path from 'node:path';
import { createSettingsView, type HostJson, parseHostJson, type SettingsView } from '@switchyard/model';
import type { RuntimeApplication, ScaleRules } from '../contract.ts';
import { runtimeErrors } from '../errors.ts';
import type { RuntimeLimits } from '../limits.ts';

/** An app's settings and host.json, read once. */
export interface ResolvedApplication extends RuntimeApplication {
  readonly settingsView: SettingsView;
  readonly host: HostJson;
  /** Processors of the machine. */
  readonly cpus: number;
  readonly scaling: Scaling;
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

/** How many workers the app wants, and when. */
export interface Scaling {
  /** Workers that it keeps. */
  readonly standing: number;
  /** Workers that it gets when there is something to do. */
  readonly active: number;
  /** After so long without any invocation it has its standing workers alone; undefined for never. */
  readonly idleMs: number | undefined;
  /** How long an invocation waits for the app's first worker. */
  readonly holdMs: number;
}

/** The most worker processes that an app gets from FUNCTIONS_WORKER_PROCESS_COUNT, as in the official host. */
const maxWorkerCount = 10;

/**
 * Resolves what the app's files and settings say of its host.
 * @throws PlatformError HOST_JSON_VERSION, HOST_JSON_INVALID, APPLICATION_SCALE_INVALID
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
    cpus: scope.cpus,
    responseHeaders: [...host.extensions.http.customHeaders].flat(),
    scaling: resolveScaling(application, settingsView, scope.limits),
    bodyLimitBytes: ownLimitBytes ?? scope.limits.requestBodyBytes,
    streamLimitBytes: ownLimitBytes ?? Number.POSITIVE_INFINITY,
    isHomepageDisabled: isOn(settingsView.get('AzureWebJobsDisableHomepage')),
    isAuthenticatedInFront: isOn(settingsView.get('WEBSITE_AUTH_ENABLED')),
  };
}

function resolveScaling(
  { definition: { applicationId }, scale }: RuntimeApplication,
  settings: SettingsView,
  { workerWaitMs }: RuntimeLimits,
): Scaling {
  const processes = integerOf(settings.get('FUNCTIONS_WORKER_PROCESS_COUNT'), 1, maxWorkerCount) ?? 1;
  if (scale === undefined) return { standing: processes, active: processes, idleMs: undefined, holdMs: workerWaitMs };
  const check = (name: keyof ScaleRules, isGood: (value: number) => boolean, expected: string): void => {
    const value = scale[name];
    if (value === undefined || isGood(value)) return;
    throw runtimeErrors.create('APPLICATION_SCALE_INVALID', { applicationId, name, value, expected });
  };
  const isWhole = (minimum: number) => (value: number) => Number.isSafeInteger(value) && value >= minimum;
  check('alwaysReady', isWhole(0), 'a whole number, 0 or more');
  check('maximum', isWhole(1), 'a whole number, 1 or more');
  check('idleMs', (value) => value > 0, 'milliseconds, more than 0');
  check('holdMs', (value) => value > 0, 'milliseconds, more than 0');
  const maximum = scale.maximum ?? Number.POSITIVE_INFINITY;
  const standing = Math.min(scale.alwaysReady, maximum);
  const active = Math.max(1, standing, Math.min(processes, maximum));
  return { standing, active, idleMs: scale.idleMs, holdMs: scale.holdMs ?? workerWaitMs };
}

function isOn(text: string | undefined): boolean {
  return /^\s*(true|1)\s*$/i.test(text ?? '');
}

/** The whole number in a setting, within its limits; undefined when it is none. */
function integerOf(text: string | undefined, minimum: number, maximum: number): number | undefined {
  if (text === undefined || !/^\s*\d{1,15}\s*$/.test(text)) return undefined;
  return Math.min(maximum, Math.max(minimum, Number(text)));
}
