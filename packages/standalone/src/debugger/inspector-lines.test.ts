import { createMemoryLog } from '@switchyard/testkit';
import { expect, it } from 'vitest';
import { withoutInspectorLines } from './inspector-lines.ts';

const lines = [
  'Debugger listening on ws://127.0.0.1:41234/0a1b',
  'For help, see: https://nodejs.org/en/docs/inspector',
  'Debugger ending on ws://127.0.0.1:41234/0a1b',
  'Debugger attached.',
  'listening',
];

function written(hasPort: boolean): string[] {
  const target = createMemoryLog();
  const log = withoutInspectorLines(target, () => hasPort).child({ applicationId: 'shop' });
  for (const line of lines) log.write('information', line);
  return target.records.map(({ message }) => message);
}

it('hides the ports of the workers’ own inspectors, and nothing else', () => {
  expect(written(true)).toEqual(['Debugger attached.', 'listening']);
});

it('hides nothing where no other port stands for them', () => {
  expect(written(false)).toEqual(lines);
});
