import { describe, expect, test } from 'vitest';
import { chooseInterpreter, type InterpreterRequest } from './interpreter.ts';

const node24 = { path: '/opt/24/node', version: '24.1.0' };
const node22 = { path: '/opt/22/node', version: '22.3.0' };
const node20 = { path: '/usr/bin/node', version: 'v20.20.2' };

function choose(request: Partial<InterpreterRequest>): ReturnType<typeof chooseInterpreter> {
  return chooseInterpreter({
    candidates: [node24, node20, node22],
    wanted: undefined,
    preferred: '',
    supported: [],
    known: [],
    ...request,
  });
}

describe('chooseInterpreter', () => {
  test.each<[string, Partial<InterpreterRequest>, unknown]>([
    ['what the app asks for', { wanted: '20', supported: ['22'], preferred: '24' }, node20],
    ['what the worker prefers', { preferred: '20', supported: ['20', '22'] }, node20],
    ['the newest that the worker allows', { supported: ['20', '22'] }, node22],
    ['the best known', { known: ['22', '20'] }, node22],
    ['the newest when nobody knows', {}, node24],
  ])('takes %s', (_name, request, interpreter) => {
    expect(choose(request)).toEqual({ kind: 'found', interpreter, known: true });
  });

  test('tries the newest when no known one is there, and says so', () => {
    const choice = choose({ candidates: [node24], known: ['22', '20'] });
    expect(choice).toEqual({ kind: 'found', interpreter: node24, known: false });
  });

  test.each<[string, Partial<InterpreterRequest>, string[]]>([
    ['the version asked for', { wanted: '18' }, ['18']],
    ['a version that the worker allows', { supported: ['3.9', '3.11'] }, ['3.11', '3.9']],
    ['any version', { candidates: [], known: ['22'] }, ['22']],
  ])('misses %s', (_name, request, needed) => {
    expect(choose(request)).toEqual({ kind: 'missing', needed });
  });
});
