import { isListening } from '../http/listen.ts';
import type { Finding } from './finding.ts';
import { runDoctor } from './run-doctor.ts';
import { supportedKinds } from './supported-kinds.ts';

export type { Finding, Severity } from './finding.ts';

/** Examines the app in a folder, with what this machine and this version have. Rejects when the folder is no function app. */
export function examineApp(
  directory: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<readonly Finding[]> {
  return runDoctor(directory, { environment, supported: supportedKinds(), isListening });
}
