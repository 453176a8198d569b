import { resolve } from 'node:path';
import type { Finding } from '@switchyard/standalone';
import { defineCommand } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';

export const doctorCommand = defineCommand({
  name: 'doctor',
  summary: 'Looks at an app for what is different on Switchyard, and for what it lacks.',
  positional: { name: 'app', summary: 'the folder of the app; the current folder when left out', maximum: 1 },
  flags: {
    json: { kind: 'switch', summary: 'writes one JSON object per finding' },
    strict: { kind: 'switch', summary: 'fails on warnings too' },
  },
  examples: ['switchyard doctor', 'switchyard doctor orders --strict'],
  async run({ positionals: [path = '.'], flags }, { workingDirectory, environment, stdout }) {
    const { examineApp } = await import('@switchyard/standalone');
    const findings = await examineApp(resolve(workingDirectory, path), environment);
    stdout.write(flags.json ? findings.map((finding) => `${JSON.stringify(finding)}\n`).join('') : toReport(findings));
    const isBad = findings.some(({ severity }) => severity === 'error' || (flags.strict && severity === 'warning'));
    return isBad ? exitCodes.failed.code : exitCodes.done.code;
  },
});

const words = { error: 'ERROR', warning: 'Warning', note: 'Note' } as const;

function toReport(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'Nothing stands in the way of this app.\n';
  const paragraphs = findings.map(
    ({ severity, subject, problem, fix, code }) => `${words[severity]}: ${subject} [${code}]\n  ${problem}\n  ${fix}\n`,
  );
  const count = (severity: Finding['severity'], word: string): string => {
    const number = findings.filter((finding) => finding.severity === severity).length;
    return `${number} ${word}${number === 1 ? '' : 's'}`;
  };
  const summary = `${count('error', 'error')}, ${count('warning', 'warning')}, ${count('note', 'note')}.\n`;
  return `${paragraphs.join('\n')}\n${summary}`;
}
