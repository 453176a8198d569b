import type { AppFacts } from '../app-facts.ts';
import type { Finding } from '../finding.ts';

/** Files that cannot be read, and those that nobody reads any more. */
export function checkFiles({ unreadable, host, hostJson, files, bindings }: AppFacts): readonly Finding[] {
  const broken = unreadable.map(
    ({ file, message }): Finding => ({
      severity: 'error',
      code: 'file-invalid',
      subject: file,
      problem: message,
      fix: 'Mend the file; the message says where.',
    }),
  );
  const doubtful = (host?.warnings ?? []).map(
    (warning): Finding => ({
      severity: 'warning',
      code: 'host-json',
      subject: 'host.json',
      problem: warning,
      fix: 'Remove the key, or write it as the documentation of the official host does.',
    }),
  );
  const disabled = bindings.filter(({ raw }) => raw.disabled !== undefined);
  return [
    ...broken,
    ...doubtful,
    ...(files.includes('proxies.json') ? [proxies] : []),
    ...(hostJson !== undefined && 'extensionBundle' in hostJson ? [bundle] : []),
    ...disabled.map(
      ({ where }): Finding => ({
        severity: 'warning',
        code: 'disabled-in-file',
        subject: `${where}/function.json`,
        problem: '"disabled" in function.json is not read, so the function runs.',
        fix: `Set the app setting AzureWebJobs.${where}.Disabled to true.`,
      }),
    ),
  ];
}

const proxies: Finding = {
  severity: 'error',
  code: 'proxies',
  subject: 'proxies.json',
  problem: 'Proxies are gone, from the official host too: nobody reads the file.',
  fix: 'Write an HTTP function that forwards, or put a reverse proxy in front.',
};

const bundle: Finding = {
  severity: 'note',
  code: 'extension-bundle',
  subject: 'host.json',
  problem: 'The extension bundle is not loaded: all bindings are built in.',
  fix: 'Nothing needs to be done; the key may stay for the official host.',
};
