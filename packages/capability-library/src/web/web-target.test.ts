import { expect, test } from 'vitest';
import { codeOf } from '../testing/code-of.ts';
import { parseTarget, shown } from './web-target.ts';

const options = { allow: new Set(['intranet.example:9000', '127.0.0.1:8080', '[::1]:80']), ports: new Set([80, 443]) };

test.each([
  'ftp://example.com/',
  'file:///etc/passwd',
  'data:text/plain,x',
  'javascript:alert(1)',
  'http://',
  'nonsense',
  'http://user:secret@example.com/',
  'http://example.com:22/',
  'http://localhost/',
  'http://LOCALHOST./',
  'http://app.localhost/',
  'http://printer.local/',
  'http://metadata.google.internal/',
  'http://intranet/',
  'http://127.0.0.1/',
  'http://127.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0177.0.0.1/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[fe80::1]/',
  'http://169.254.169.254/latest/meta-data/',
  'http://①②⑦.⓪.⓪.①/',
  'http://127.0.0.1:8081/',
])('%s is refused', async (address) => {
  expect(await codeOf(() => parseTarget(address, options))).toBe('WEB_TARGET_REFUSED');
});

test.each([
  'http://example.com/',
  'https://example.com/a?b#c',
  'http://8.8.8.8/',
  'http://[2606:4700:4700::1111]/',
  'http://intranet.example:9000/',
  'http://127.0.0.1:8080/',
  'http://[::1]/',
])('%s is taken', (address) => {
  expect(parseTarget(address, options).href).toContain('http');
});

test('messages show no credentials and no query', () => {
  expect(shown('https://ann:secret@example.com/a?token=secret#x')).toBe('https://example.com/a');
});
