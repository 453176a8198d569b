import type { Rule } from '../rule.ts';

/** Absolute paths of somebody's machine. `/home/site` is the root of an app in the official images. */
const machinePath =
  /(?:^|[\s'"`(=:])((?:\/(?:work|root|Users|mnt|workspace)|\/home\/(?!site\b)[\w.-]+|[A-Za-z]:\\Users)[\\/][\w.@-]+)/;

/** A package registry by its address, other than in a sentence about the project. */
const registryHost = /https?:\/\/(?:[\w.-]*\b(?:registry|artifactory|nexus|verdaccio|npm-proxy|pypi)[\w.-]*)(?::\d+)?/;

const privateAddress = /https?:\/\/(?:10\.\d+|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d+\.\d+/;

/** `inTests` marks what a test may well hold: a made-up input. */
const traces: readonly { pattern: RegExp; what: string; fix: string; inTests?: boolean }[] = [
  { pattern: machinePath, what: 'a path of one machine', fix: 'make the path relative, or ask the system for it.' },
  { pattern: registryHost, what: "a registry's address", fix: 'leave it out: npm knows its registry.' },
  { pattern: privateAddress, what: 'an address of a private network', fix: 'use 127.0.0.1 or a name.', inTests: true },
];

/** No file knows the machine on which it was written. */
export const machineTracesRule: Rule = {
  name: 'machine-traces',
  promise: 'No file knows the machine on which it was written.',
  check(repository) {
    return repository.files.flatMap((file) =>
      file.lines.flatMap((text, index) =>
        traces.flatMap(({ pattern, what, fix, inTests }) => {
          if (inTests && file.kind === 'test') return [];
          const found = pattern.exec(text);
          if (!found) return [];
          return [{ path: file.path, line: index + 1, message: `${what}: '${(found[1] ?? found[0]).trim()}'.`, fix }];
        }),
      ),
    );
  },
  good: [
    { 'README.md': 'Browse https://github.com/someone/switchyard and /home/site/wwwroot, see /working/hours.' },
    { 'package-lock.json': '{ "node_modules/a": { "version": "1.0.0", "integrity": "sha512-x" } }' },
  ],
  bad: [
    { files: { 'README.md': `a\ncd ${'/'}work/main/tools` }, at: 'README.md:2' },
    { files: { 'packages/kernel/src/a.ts': `const a = '${'/'}home/ann/project';` }, at: 'packages/kernel/src/a.ts:1' },
    {
      files: { 'package-lock.json': `{\n"resolved": "https:${'//'}registry.example.org/a.tgz" }` },
      at: 'package-lock.json:2',
    },
    { files: { 'docs/a.md': `http:${'//'}10.1.2.3:4873/` }, at: 'docs/a.md:1' },
  ],
};
