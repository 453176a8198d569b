/** The whole of `deploy`: build, pack, upload, watch, and leave nothing behind on this machine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { messageOf } from '@switchyard/kernel';
import { toApplicationId } from '@switchyard/model';
import type { CommandContext } from '../command.ts';
import type { DeployFlags } from '../commands/deploy.ts';
import { exitCodes } from '../exit-codes.ts';
import { buildApp } from '../packing/build-app.ts';
import { packingErrors } from '../packing/errors.ts';
import { packFolder } from '../packing/pack-folder.ts';
import type { ControlClient } from './control-client.ts';
import { type DeployProgress, deployApp } from './deploy-app.ts';
import { createJsonOutput, createTextOutput } from './deploy-output.ts';
import { findStack, parseStack } from './find-stack.ts';
import { checkApp, checkTenant } from './required-words.ts';
import { readSettingsFile } from './settings-source.ts';

export interface DeployFolderOptions {
  readonly context: CommandContext;
  /** Called once the platform goes on by itself, with what an interrupted user should know. */
  readonly onDeploying: (text: string) => void;
  readonly signal: AbortSignal;
}

export async function deployFolder(
  client: ControlClient,
  folder: string,
  flags: DeployFlags,
  { context, onDeploying, signal }: DeployFolderOptions,
): Promise<number> {
  const { stdout, stderr, environment, workingDirectory } = context;
  const directory = resolve(workingDirectory, folder);
  const app = flags.app === undefined ? toApplicationId(basename(directory)) : checkApp(flags.app);
  const tenantId = flags.tenant === undefined ? undefined : checkTenant(flags.tenant);
  const stack = flags.stack === undefined ? undefined : parseStack(flags.stack);
  const from = flags['settings-from'];
  const settings = from === undefined ? new Map() : await readSettingsFile(from, workingDirectory, directory);
  const output = flags.json ? createJsonOutput(stdout) : createTextOutput(stdout);
  if (flags.build) await buildApp(directory, { environment, print: (text) => stderr.write(text), signal });
  const promote = !flags['no-promote'];
  const tell = (progress: DeployProgress) => {
    if (progress.kind === 'started')
      onDeploying(`Stopped watching; the deployment goes on. 'switchyard ps ${app}' shows what becomes of it.`);
    output.progress(progress);
  };
  return withScratchFolder(environment.TMPDIR ?? tmpdir(), async (scratch) => {
    const file = join(scratch, 'package.zip');
    const packed = await packFolder(directory, file, signal);
    output.packed(app, flags.app === undefined, packed);
    const request = { app, tenantId, message: flags.message, settings, stack, packed, file, promote };
    const deployed = await deployApp(
      client,
      { ...request, findStack: () => findStack(directory, settings) },
      tell,
      signal,
    );
    output.done(app, deployed, promote);
    return exitCodes.done.code;
  });
}

async function withScratchFolder<T>(parent: string, work: (path: string) => Promise<T>): Promise<T> {
  const scratch = await mkdtemp(join(parent, 'switchyard-deploy-')).catch((error: unknown) => {
    throw packingErrors.create('PACK_TARGET_UNWRITABLE', { path: parent, reason: messageOf(error) }, error);
  });
  try {
    return await work(scratch);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}
