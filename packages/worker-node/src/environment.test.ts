import { afterEach, describe, expect, it } from 'vitest';
import { processEnvironment } from './environment.ts';

const before = { ...process.env };
const directory = process.cwd();

afterEach(() => {
  processEnvironment.replace(new Map(Object.entries(before).map(([name, value]) => [name, value ?? ''])));
});

describe('processEnvironment', () => {
  it('leaves the new variables and no others', () => {
    process.env.SWITCHYARD_OLD = 'x';
    processEnvironment.replace(
      new Map([
        ['SWITCHYARD_NEW', 'y'],
        ['', 'nameless'],
        ['__proto__', 'z'],
      ]),
    );
    expect(Object.keys(process.env).sort()).toEqual(['SWITCHYARD_NEW', '__proto__']);
    expect(process.env.SWITCHYARD_NEW).toBe('y');
  });

  it('takes a change and leaves alone what the app has put there', () => {
    processEnvironment.replace(
      new Map([
        ['KEPT', 'k'],
        ['GONE', 'g'],
      ]),
    );
    process.env.OWN = 'mine';
    const before = new Map([
      ['KEPT', 'k'],
      ['GONE', 'g'],
    ]);
    processEnvironment.update(
      before,
      new Map([
        ['KEPT', 'k'],
        ['NEW', 'n'],
      ]),
    );
    expect({ ...process.env }).toEqual({ KEPT: 'k', NEW: 'n', OWN: 'mine' });
    expect(processEnvironment.read(['NEW', 'GONE'])).toEqual(new Map([['NEW', 'n']]));
  });

  it('changes the folder, or says why not', () => {
    expect(() => processEnvironment.changeDirectory('/does/not/exist')).toThrow('ENOENT');
    expect(process.cwd()).toBe(directory);
  });

  it('knows what it runs on', () => {
    expect(`v${processEnvironment.runtimeVersion}`).toBe(process.version);
    expect(processEnvironment.bitness).toBe(process.arch);
  });
});
