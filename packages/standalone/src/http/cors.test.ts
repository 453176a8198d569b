import type { IncomingMessage, ServerResponse } from 'node:http';
import { describe, expect, it } from 'vitest';
import { createCurrentApplications } from '../application/current-applications.ts';
import type { LoadedApplication } from '../application/load-application.ts';
import { createLoaded } from '../testing/versions.ts';
import { type CorsPolicy, type CorsRequest, decideCors, withCors } from './cors.ts';

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

describe('withCors', () => {
  const app = (applicationId: string, ...corsOrigins: string[]): LoadedApplication =>
    createLoaded({ applicationId, localHost: { corsOrigins, corsCredentials: false } });

  /** The page that a call to the host is allowed for. */
  function open(...applications: LoadedApplication[]) {
    const current = createCurrentApplications(applications);
    const handler = withCors(current, () => {});
    const allowedAt = (host: string): string | undefined => {
      const headers: Record<string, string> = {};
      const response = {
        setHeader(name: string, value: string) {
          headers[name] = value;
        },
      };
      const request = { method: 'GET', headers: { origin: page, host } };
      handler(request as unknown as IncomingMessage, response as unknown as ServerResponse);
      return headers['Access-Control-Allow-Origin'];
    };
    return { current, allowedAt };
  }

  it('goes by the app that the host names, or by the only one', () => {
    const two = open(app('one', page), app('two', 'http://elsewhere'));
    expect(['one.localhost:7071', 'ONE.localhost', 'two.localhost', 'localhost'].map(two.allowedAt)).toEqual([
      page,
      page,
      undefined,
      undefined,
    ]);
    expect(open(app('one', page)).allowedAt('127.0.0.1:7071')).toBe(page);
  });

  it('follows what the settings say now', () => {
    const { current, allowedAt } = open(app('one'));
    expect(allowedAt('localhost')).toBeUndefined();
    current.replace(app('one', page));
    expect(allowedAt('localhost')).toBe(page);
    current.replace(app('one'));
    expect(allowedAt('localhost')).toBeUndefined();
  });
});
