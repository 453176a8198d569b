/** Certificates of a pod that nobody mounts files into: its own, made at the start, and the authority that stands in a variable. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createSelfSigned } from '@switchyard/protocol';
import type { SidecarProcessOptions } from './sidecar-options.ts';

/** Holds who has signed the certificates of the installation, as PEM. */
const authorityVariable = 'RUNTIME_CA';

/** The name in such a certificate; whoever trusts it knows its very bytes. */
export const madeCertificateName = 'switchyard-sidecar';

/** Owner reads and writes, nobody else. */
const mode = 0o600;

export interface MadeCertificates {
  readonly options: SidecarProcessOptions;
  /** The certificate that was made. */
  readonly certificate: string | undefined;
}

/** Writes into the data folder what the options name no file for. */
export async function makeCertificates(options: SidecarProcessOptions): Promise<MadeCertificates> {
  const { dataDirectory, makesCertificate, variables } = options;
  const write = async (name: string, text: string): Promise<string> => {
    const path = join(dataDirectory, name);
    await writeFile(path, text, { mode });
    return path;
  };
  const given = variables[authorityVariable] ?? '';
  const authority = options.runtimeTls.authority ?? (given === '' ? undefined : await write('runtime-ca.crt', given));
  const trusting = { ...options, runtimeTls: { ...options.runtimeTls, authority } };
  if (!makesCertificate || options.tls.certificate !== undefined) return { options: trusting, certificate: undefined };
  const made = createSelfSigned(madeCertificateName, [madeCertificateName]);
  const tls = {
    ...options.tls,
    certificate: await write('own.crt', made.certificate),
    key: await write('own.key', made.key),
  };
  return { options: { ...trusting, tls }, certificate: made.certificate };
}
