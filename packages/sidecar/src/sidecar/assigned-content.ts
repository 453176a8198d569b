/** The content of an assignment: what makes two the same, and how a sidecar gets at it. */
import { messageOf, type PlatformError } from '@switchyard/kernel';
import type { Assignment } from '@switchyard/protocol';
import { sidecarErrors } from './errors.ts';
import type { OpenPackage } from './sidecar-contract.ts';

export type OpenedContent =
  | { readonly kind: 'open'; readonly scriptRoot: string }
  | { readonly kind: 'failed'; readonly error: PlatformError };

/** True when both ask for the same version of the same app. */
export function isSameApp(one: Assignment, other: Assignment): boolean {
  return (
    one.tenantId === other.tenantId &&
    one.application.applicationId === other.application.applicationId &&
    one.application.metadataVersion === other.application.metadataVersion &&
    one.application.codeVersion === other.application.codeVersion
  );
}

/**
 * True when a worker that was reloaded for one need not be reloaded for the other: the same code of the same app with the
 * same environment. The metadata version may differ: it is known only after the app was indexed.
 */
export function isSameContent(one: Assignment, other: Assignment): boolean {
  return (
    isSameOwner(one, other) && contentKey(one) === contentKey(other) && isSameMap(one.environment, other.environment)
  );
}

/** True when a worker that has seen one may see the other: the same app of the same tenant. */
export function isSameOwner(one: Assignment, other: Assignment): boolean {
  return one.tenantId === other.tenantId && one.application.applicationId === other.application.applicationId;
}

/** Finds the app's files, and fetches them first where they are a package. Never rejects. */
export async function openContent(
  { content, application }: Assignment,
  openPackage: OpenPackage | undefined,
): Promise<OpenedContent> {
  if (content.kind === 'folder') return { kind: 'open', scriptRoot: content.scriptRoot };
  const failed = (reason: string, cause?: unknown): OpenedContent => {
    const details = { applicationId: application.applicationId, sha256: content.sha256, reason };
    return { kind: 'failed', error: sidecarErrors.create('SIDECAR_PACKAGE_UNAVAILABLE', details, cause) };
  };
  if (openPackage === undefined) return failed('this sidecar fetches no packages; assign a folder instead');
  try {
    return { kind: 'open', scriptRoot: await openPackage(content) };
  } catch (thrown) {
    return failed(messageOf(thrown), thrown);
  }
}

function contentKey({ content, application }: Assignment): string {
  const { codeVersion } = application;
  return content.kind === 'folder' ? `folder ${codeVersion} ${content.scriptRoot}` : `package ${content.sha256}`;
}

function isSameMap(one: ReadonlyMap<string, string>, other: ReadonlyMap<string, string>): boolean {
  return one.size === other.size && [...one].every(([name, value]) => other.get(name) === value);
}
