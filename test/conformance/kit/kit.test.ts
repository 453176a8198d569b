/** The conformance kit on `switchyard dev`, with its fixture app and a real storage emulator: one host for all cases. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Azurite, startAzurite } from '@switchyard/triggers/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DevProcess, startDevProcess } from '../../e2e/dev-process.ts';
import { azuriteEntry, azuritePart } from '../../e2e/queues.ts';
import { allCases } from './all-cases.ts';
import type { ConformanceCase, Kit } from './contract.ts';
import { openKit } from './open-kit.ts';

const apps = ['fixture-app', 'fixture-app-custom'].map((name) => fileURLToPath(new URL(`../${name}`, import.meta.url)));
const patienceMs = 60_000;

it('has at least 250 cases, each with a name of its own', () => {
  const names = allCases.map(({ section, name }) => `${section}: ${name}`);
  expect(names.length).toBeGreaterThanOrEqual(250);
  expect(names.filter((name, at) => names.indexOf(name) !== at)).toEqual([]);
});

describe.skipIf(azuritePart.skip)('the conformance kit on switchyard dev', () => {
  let azurite: Azurite;
  let dev: DevProcess;
  let kit: Kit;
  beforeAll(async () => {
    azurite = await startAzurite(azuriteEntry ?? '');
    const storage = azurite.connectionString;
    const flags = ['--no-azurite', '--enable-auth'];
    dev = await startDevProcess({ apps, flags, environment: { AzureWebJobsStorage: storage } });
    const port = await dev.port();
    const [url, customUrl] = ['fixture-app', 'fixture-app-custom'].map((name) => `http://${name}.localhost:${port}`);
    kit = openKit({ url: url ?? '', customUrl, storage, key: await masterKey(dev) });
  });
  afterAll(async () => {
    await dev?.close();
    await azurite?.stop();
  });

  const tell = (tested: ConformanceCase) => [`${tested.section}: ${tested.name}`, tested] as const;
  const [peaceful, disruptive] = [false, true].map((wanted) =>
    allCases.filter(({ isDisruptive = false }) => isDisruptive === wanted).map(tell),
  );

  describe.concurrent('side by side', () => {
    it.each(peaceful ?? [])('%s', (_name, tested) => expect(tested.run(kit)).resolves.toBeUndefined(), patienceMs);
  });
  describe('alone', () => {
    it.each(disruptive ?? [])('%s', (_name, tested) => expect(tested.run(kit)).resolves.toBeUndefined(), patienceMs);
  });
});

/** The master key that the host made for the fixture app. */
async function masterKey({ dataFolder }: DevProcess): Promise<string> {
  const { apps } = JSON.parse(await readFile(join(dataFolder ?? '', 'keys.json'), 'utf8'));
  return apps['fixture-app'].master;
}
