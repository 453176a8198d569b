import { describe, expect, it } from 'vitest';
import { originForm } from './origin-form.ts';

describe('originForm', () => {
  it.each([
    ['/jobs?limit=1', '/jobs?limit=1'],
    ['http://127.0.0.1:9000/jobs?limit=1', '/jobs?limit=1'],
    ['HTTPS://agent/info', '/info'],
    ['http://agent', '/'],
    ['http://agent?limit=1', '/?limit=1'],
    ['//info', '//info'],
    ['*', '*'],
    ['', '/'],
    [undefined, '/'],
  ])('makes of %j the path %j', (target, path) => expect(originForm(target)).toBe(path));
});
