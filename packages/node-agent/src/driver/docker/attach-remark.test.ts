import { expect, it } from 'vitest';
import { isAttachRemark } from './attach-remark.ts';

const remark = 'Error: read unixpacket @->/proc/self/fd/14/attach: read: connection reset by peer\n';

it.each([
  ['stderr', remark, true],
  ['stdout', remark, false],
  ['stderr', `err\n${remark}`, false],
  ['stderr', 'Error: of the program\n', false],
  ['stderr', `${remark}${'x'.repeat(200)}`, false],
] as const)('on %s, %j is what the engine says itself: %s', (stream, text, expected) => {
  expect(isAttachRemark(stream, Buffer.from(text))).toBe(expected);
});
