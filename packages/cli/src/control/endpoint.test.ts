import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTestFolder, type TestFolder } from '../testing/test-folder.ts';
import { type ControlFlagValues, findEndpoint } from './endpoint.ts';

let folder: TestFolder;
beforeEach(async () => {
  folder = await openTestFolder();
});
afterEach(() => folder.remove());

const none: ControlFlagValues = {
  endpoint: undefined,
  'token-file': undefined,
  'ca-file': undefined,
  'data-dir': undefined,
  'allow-http': false,
};

async function find(flags: Partial<ControlFlagValues> = {}, environment: Record<string, string> = {}) {
  const context = { environment: { HOME: folder.path, ...environment }, workingDirectory: folder.path };
  const { url, token } = await findEndpoint({ ...none, ...flags }, context);
  return [url.origin, token.reveal()];
}

const written = { endpoint: 'http://127.0.0.1:7072', token: 'written' };

describe('findEndpoint', () => {
  it('takes what the platform wrote into the home folder', async () => {
    await folder.write({ '.switchyard/control.json': written });
    expect(await find()).toEqual(['http://127.0.0.1:7072', 'written']);
  });

  it('looks into another data folder, by flag or by variable', async () => {
    await folder.write({ 'data/control.json': written, 'other/control.json': { ...written, token: 'other' } });
    expect(await find({ 'data-dir': 'data' })).toEqual(['http://127.0.0.1:7072', 'written']);
    expect(await find({}, { SWITCHYARD_DATA_DIR: join(folder.path, 'other') })).toContain('other');
    expect(await find({ 'data-dir': 'data' }, { SWITCHYARD_DATA_DIR: 'other' })).toContain('written');
  });

  it('lets flags win over variables, and both over the file', async () => {
    await folder.write({ '.switchyard/control.json': written, 'my.token': 'from-file\n' });
    const environment = { SWITCHYARD_ENDPOINT: 'https://one.example', SWITCHYARD_TOKEN: 'from-env' };
    expect(await find({}, environment)).toEqual(['https://one.example', 'from-env']);
    expect(await find({ endpoint: 'https://two.example', 'token-file': 'my.token' }, environment)).toEqual([
      'https://two.example',
      'from-file',
    ]);
    expect(await find({}, { SWITCHYARD_TOKEN: 'from-env' })).toEqual(['http://127.0.0.1:7072', 'from-env']);
  });

  it('trusts the authority of a file, by flag or by variable', async () => {
    await folder.write({ '.switchyard/control.json': written, 'ca.crt': 'an authority' });
    const context = { environment: { HOME: folder.path, SWITCHYARD_CA_FILE: 'ca.crt' }, workingDirectory: folder.path };
    expect(await findEndpoint(none, context)).toMatchObject({ authority: 'an authority' });
    expect(
      await findEndpoint({ ...none, 'ca-file': 'ca.crt' }, { ...context, environment: { HOME: folder.path } }),
    ).toMatchObject({ authority: 'an authority' });
    await expect(find({ 'ca-file': 'missing' })).rejects.toThrow('Name a file that is there with --ca-file');
  });

  it('sends the written token to the endpoint that it belongs to, and to no other', async () => {
    await folder.write({ '.switchyard/control.json': written });
    expect(await find({ endpoint: 'http://127.0.0.1:7072/' })).toContain('written');
    await expect(find({ endpoint: 'http://127.0.0.1:9999' })).rejects.toThrow(
      "There is no token for 'http://127.0.0.1:9999'. Name a file that holds one with --token-file",
    );
  });

  it.each(['http://127.0.0.1:1', 'http://127.8.9.10:1', 'http://localhost:1', 'http://[::1]:1', 'https://far.example'])(
    'trusts the way to %s',
    async (endpoint) => {
      expect(await find({ endpoint }, { SWITCHYARD_TOKEN: 't' })).toEqual([endpoint, 't']);
    },
  );

  it.each(['http://far.example:7072', 'http://10.0.0.1', 'http://127.0.0.1.example', 'http://localhost.example'])(
    'sends no token in clear to %s, unless that is allowed',
    async (endpoint) => {
      await expect(find({ endpoint }, { SWITCHYARD_TOKEN: 't' })).rejects.toMatchObject({
        code: 'CONTROL_TOKEN_IN_CLEAR',
      });
      expect(await find({ endpoint, 'allow-http': true }, { SWITCHYARD_TOKEN: 't' })).toEqual([endpoint, 't']);
    },
  );

  it('says how to start the platform when there is none', async () => {
    const path = join(folder.path, '.switchyard/control.json');
    await expect(find()).rejects.toThrow(`'${path}' is not there. Start it with: switchyard up.`);
  });

  it.each([
    ['{"endpoint": "http://127.0.0.1:7072", "token": "sec', 'it is not JSON'],
    [{ endpoint: 'http://127.0.0.1:7072' }, 'it must hold "endpoint" and "token"'],
    [[], 'it must hold "endpoint" and "token"'],
    ['null', 'it must hold "endpoint" and "token"'],
    ['x'.repeat(70_000), 'it has 70000 bytes'],
  ])('says what is wrong with %j', async (content, reason) => {
    await folder.write({ '.switchyard/control.json': content });
    const failure = await find().catch((error: Error) => error.message);
    expect(failure).toContain(reason);
    expect(failure).not.toContain('sec');
  });

  it.each([
    ['far.example', 'it cannot be understood'],
    ['ftp://far.example', 'neither http:// nor https://'],
    ['https://far.example/v1', 'it goes on behind the port'],
    ['https://me:secret@far.example', 'it holds a user or a password'],
  ])('refuses the endpoint %s', async (endpoint, reason) => {
    const failure = await find({ endpoint }, { SWITCHYARD_TOKEN: 't' }).catch((error: Error) => error.message);
    expect(failure).toContain(reason);
    expect(failure).toContain('(--endpoint)');
    expect(failure).not.toContain('secret');
  });

  it('refuses tokens that are none, without quoting them', async () => {
    const endpoint = 'https://far.example';
    const failure = await find({ endpoint }, { SWITCHYARD_TOKEN: 'two words' }).catch((error: Error) => error.message);
    expect(failure).toContain('The token from SWITCHYARD_TOKEN is none: it holds blanks');
    expect(failure).not.toContain('two words');
    await folder.write({ empty: '\n' });
    await expect(find({ endpoint, 'token-file': 'empty' })).rejects.toThrow('it is empty');
    await expect(find({ endpoint, 'token-file': 'missing' })).rejects.toMatchObject({ code: 'INPUT_UNREADABLE' });
  });
});
