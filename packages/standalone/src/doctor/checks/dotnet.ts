import type { AppFacts } from '../app-facts.ts';
import type { Finding } from '../finding.ts';

/** What .NET apps do inside the host, which is no .NET process here. */
export function checkDotnet({ runtime, sources }: AppFacts): readonly Finding[] {
  const matching = (file: RegExp, text: RegExp): string[] =>
    [...sources].filter(([name, source]) => file.test(name) && text.test(source)).map(([name]) => name);
  const inProcess = matching(/\.(?:cs|fs)proj$/, /Microsoft\.NET\.Sdk\.Functions/);
  const refused = runtime === 'dotnet' && inProcess.length === 0 ? ['FUNCTIONS_WORKER_RUNTIME'] : inProcess;
  return [
    ...refused.map(
      (subject): Finding => ({
        severity: 'error',
        code: 'dotnet-in-process',
        subject,
        problem: 'The app runs inside the .NET host (the in-process model), and there is no .NET host here.',
        fix: 'Move to the isolated worker model: FUNCTIONS_WORKER_RUNTIME "dotnet-isolated" and Microsoft.Azure.Functions.Worker.',
      }),
    ),
    ...matching(/\.(?:cs|fs)$/, /\bIWebJobsConfigurationStartup\b/).map(
      (subject): Finding => ({
        severity: 'warning',
        code: 'configuration-startup',
        subject,
        problem: 'IWebJobsConfigurationStartup changes the configuration of the host, and is never called.',
        fix: 'Set the values as app settings (AzureFunctionsJobHost__... for host.json), or configure the worker in Program.cs.',
      }),
    ),
    ...matching(/\.(?:cs|fs)$/, /\b(?:IWebJobsStartup|FunctionsStartup)\b/).map(
      (subject): Finding => ({
        severity: 'warning',
        code: 'host-startup',
        subject,
        problem: 'A start-up class of the host is never called.',
        fix: 'Register services in Program.cs of the isolated worker.',
      }),
    ),
  ];
}
