import { describe, expect, it } from 'vitest';
import { type CorsPolicy, type CorsRequest, decideCors } from './cors.ts';

const page = 'http://localhost:3000';
const named: CorsPolicy = { origins: ['https://other.example', page], credentials: false };

const call = (overrides: Partial<CorsRequest> = {}): CorsRequest => ({
  method: 'GET',
  origin: page,
  askedMethod: undefined,
  askedHeaders: undefined,
  ...overrides,
});

describe('decideCors', () => {
  it('lets named pages call', () => {
    expect(decideCors(named, call())).toEqual({
      kind: 'allowed',
      headers: { 'Access-Control-Allow-Origin': page, Vary: 'Origin' },
    });
  });

  it('says nothing to other pages', () => {
    expect(decideCors(named, call({ origin: 'http://localhost:3001' }))).toEqual({ kind: 'refused' });
    expect(decideCors({ origins: [], credentials: true }, call())).toEqual({ kind: 'refused' });
  });

  it('lets every page call for a wildcard, without credentials', () => {
    expect(decideCors({ origins: ['*'], credentials: true }, call())).toEqual({
      kind: 'allowed',
      headers: { 'Access-Control-Allow-Origin': '*' },
    });
  });

  it('allows credentials to named pages when asked', () => {
    expect(decideCors({ ...named, credentials: true }, call())).toMatchObject({
      headers: { 'Access-Control-Allow-Credentials': 'true', 'Access-Control-Allow-Origin': page },
    });
  });

  it('answers what a browser asks before the call', () => {
    const asked = call({ method: 'OPTIONS', askedMethod: 'PUT', askedHeaders: 'x-one, x-two' });
    expect(decideCors(named, asked)).toEqual({
      kind: 'preflight',
      headers: {
        'Access-Control-Allow-Origin': page,
        Vary: 'Origin',
        'Access-Control-Allow-Methods': 'PUT',
        'Access-Control-Allow-Headers': 'x-one, x-two',
      },
    });
  });

  it('leaves an OPTIONS that is no such question to the function', () => {
    expect(decideCors(named, call({ method: 'OPTIONS' })).kind).toBe('allowed');
  });
});
