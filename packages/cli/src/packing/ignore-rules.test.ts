import { describe, expect, it } from 'vitest';
import { createIgnoreRules } from './ignore-rules.ts';

const leavesOut = (text: string, path: string, kind: 'file' | 'folder' = 'file') =>
  createIgnoreRules(text).leavesOut(path, kind);

describe('createIgnoreRules', () => {
  it.each([
    ['local.settings.json', 'file'],
    ['sub/Local.Settings.json', 'file'],
    ['.git', 'folder'],
    ['.git', 'file'],
    ['.switchyard', 'folder'],
    ['node_modules/some/.git', 'folder'],
  ] as const)('never packs %s, whatever .funcignore says', (path, kind) => {
    expect(leavesOut('', path, kind)).toBe(true);
    expect(leavesOut(`!${path}\n!**\n`, path, kind)).toBe(true);
  });

  it('leaves caches of build tools out, unless they are taken back', () => {
    expect(leavesOut('', 'node_modules/.cache', 'folder')).toBe(true);
    expect(leavesOut('', 'deep/node_modules/.cache', 'folder')).toBe(true);
    expect(leavesOut('!node_modules/.cache/\n', 'node_modules/.cache', 'folder')).toBe(false);
  });

  it.each(['src/index.ts', 'host.json', 'node_modules/a/index.js', '.gitignore', 'my.local.settings.json.md'])(
    'packs %s',
    (path) => {
      expect(leavesOut('', path)).toBe(false);
    },
  );

  it.each([
    ['*.ts', 'src/index.ts', true],
    ['*.ts\n!keep.ts', 'src/keep.ts', false],
    ['/test', 'test/a.js', true],
    ['/test', 'src/test/a.js', false],
    ['test/', 'test', false],
    ['**/fixtures/*.json', 'a/b/fixtures/x.json', true],
    ['# *.js\n\n', 'a.js', false],
    ['\\#odd', '#odd', true],
    ['doc*.md', 'DOCS.md', false],
    ['\uFEFF*.ts', 'a.ts', true],
    ['*.map\r\n*.ts\r\n', 'a.map', true],
  ])('reads %j as git would: %s', (text, path, expected) => {
    expect(leavesOut(text, path)).toBe(expected);
  });

  it('takes a pattern with a slash at its end for folders', () => {
    expect(leavesOut('test/', 'test', 'folder')).toBe(true);
  });
});
