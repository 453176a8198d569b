import { describe, expect, it } from 'vitest';
import type { HttpTriggerRequest } from './contract.ts';
import { toHttpEvent } from './to-http-event.ts';

const request: HttpTriggerRequest = {
  method: 'GET',
  url: 'http://localhost/api/hello',
  search: '',
  rawHeaders: [],
  params: new Map(),
  body: new Uint8Array(),
  signal: new AbortController().signal,
};
const capabilities = {
  bodyOnly: true,
  rawBodyBytes: true,
  metadataRemoved: true,
  ignoreEmptyHeaders: true,
  nullableValues: true,
};

function identitiesOf(given: Partial<HttpTriggerRequest>) {
  const { data } = toHttpEvent({ ...request, ...given }, capabilities as never, 'request').data;
  return data?.$case === 'http' ? data.value.identities : undefined;
}

describe('the identity of a key', () => {
  it('says which level it opens and what it is called', () => {
    expect(identitiesOf({ shownKey: { level: 'function', name: 'default' } })).toMatchObject([
      {
        authenticationType: { string: { value: 'WebJobsAuthLevel' } },
        claims: [
          { type: expect.stringMatching(/\/claims\/authlevel$/), value: 'Function' },
          { type: expect.stringMatching(/\/claims\/keyid$/), value: 'default' },
        ],
      },
    ]);
  });

  it('has no name where nobody knows it', () => {
    expect(identitiesOf({ shownKey: { level: 'admin', name: undefined } })?.[0]?.claims).toEqual([
      { type: expect.stringMatching(/authlevel$/), value: 'Admin' },
    ]);
  });

  it('is not there where no key was asked for', () => {
    expect(identitiesOf({})).toEqual([]);
  });
});
