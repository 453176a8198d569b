import { describe, expect, test } from 'vitest';
import { expandVariables } from './expand-variables.ts';

const variables = new Map([
  ['JAVA_HOME', '/opt/java'],
  ['EMPTY', ''],
  ['NESTED', '%JAVA_HOME%'],
]);

describe('expandVariables', () => {
  test.each([
    ['%JAVA_HOME%/bin/java', '/opt/java/bin/java'],
    ['%JAVA_HOME%%JAVA_HOME%', '/opt/java/opt/java'],
    ['a%MISSING%b', 'ab'],
    ['a%EMPTY%b', 'ab'],
    ['%NESTED%', '%JAVA_HOME%'],
    ['100% of it', '100% of it'],
    ['%%', '%%'],
    ['50%, then 60%', '50%, then 60%'],
    ['%__proto__%', ''],
  ])('%j becomes %j', (text, expanded) => {
    expect(expandVariables(text, (name) => variables.get(name))).toBe(expanded);
  });
});
