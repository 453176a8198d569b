import type { Server } from 'node:http';
import { get } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSelfSigned, type SelfSigned } from '@switchyard/protocol/testing';
import { afterEach, expect, it } from 'vitest';
import type { CertificatePair } from './check-certificate.ts';
import { createHttpServer } from './http-server.ts';

let server: Server | undefined;
afterEach(() => {
  server?.close();
  server?.closeAllConnections();
});

const ask = (port: number, { certificate: ca }: SelfSigned): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, ca, agent: false }, (answer) => {
      answer.resume().once('end', () => resolve(answer.statusCode));
    }).once('error', reject);
  });

it('shows its certificate, and the renewed one from then on', async () => {
  const [first, second] = [createSelfSigned('first'), createSelfSigned('second')];
  let renew: (pair: CertificatePair) => void = () => {};
  const certificate = {
    ...{ ...first, clientCa: undefined },
    onRenewal(show: typeof renew) {
      renew = show;
    },
  };
  const opened = createHttpServer({}, certificate, (_request, response) => response.end('x'));
  server = opened;
  await new Promise<void>((resolve) => opened.listen(0, '127.0.0.1', resolve));
  const { port } = opened.address() as AddressInfo;
  expect(await ask(port, first)).toBe(200);
  renew(second);
  expect(await ask(port, second)).toBe(200);
  await expect(ask(port, first)).rejects.toThrow(/self-signed/);
});
