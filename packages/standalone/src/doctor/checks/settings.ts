import type { AppFacts } from '../app-facts.ts';
import type { Finding } from '../finding.ts';

/** Settings that mean something else here, or nothing. */
export function checkSettingNames({ settings, hostJson }: AppFacts): readonly Finding[] {
  const isSet = (name: string): boolean => (settings.get(name) ?? '') !== '';
  const configured = hostJson !== undefined && 'languageWorkers' in hostJson;
  const languages = [...settings.section('languageWorkers')].map(([name]) => name);
  return [
    ...(isSet('FUNCTIONS_WORKER_PROCESS_COUNT') ? [processCount] : []),
    ...(languages.some((name) => name.endsWith(':arguments')) || configured ? [workerArguments] : []),
    ...(languages.some((name) => name.endsWith(':defaultexecutablepath')) ? [workerExecutable] : []),
    ...(isSet('APPLICATIONINSIGHTS_CONNECTION_STRING') || isSet('APPINSIGHTS_INSTRUMENTATIONKEY') ? [insights] : []),
    ...(isSet('WEBSITE_RUN_FROM_PACKAGE') ? [runFromPackage] : []),
  ];
}

const processCount: Finding = {
  severity: 'warning',
  code: 'worker-process-count',
  subject: 'FUNCTIONS_WORKER_PROCESS_COUNT',
  problem:
    'The platform manages how many workers an app has; a deployed app does not get its number from this setting.',
  fix: 'Remove it, and set the scale of the app instead.',
};

const workerArguments: Finding = {
  severity: 'warning',
  code: 'worker-arguments',
  subject: 'languageWorkers',
  problem:
    'Arguments of the language worker cost the app its quick start: a worker that stands ready must be started anew for it.',
  fix: 'Do without them where you can; memory and time are limits of the app, and debuggers have a flag of their own.',
};

const workerExecutable: Finding = {
  severity: 'warning',
  code: 'worker-executable',
  subject: 'languageWorkers',
  problem: 'The program of the language worker is chosen by the platform once the app is deployed.',
  fix: 'Remove the setting; the version of the language is part of the stack that the app asks for.',
};

const insights: Finding = {
  severity: 'note',
  code: 'application-insights',
  subject: 'APPLICATIONINSIGHTS_CONNECTION_STRING',
  problem:
    'The host sends requests, log lines, exceptions and metrics to Application Insights, and no dependencies or live metrics.',
  fix: 'Nothing needs to be done; the library of the language sends dependencies when the app uses it.',
};

const runFromPackage: Finding = {
  severity: 'note',
  code: 'run-from-package',
  subject: 'WEBSITE_RUN_FROM_PACKAGE',
  problem: 'Apps always run from the package that was deployed, so the setting changes nothing.',
  fix: 'Nothing needs to be done.',
};
