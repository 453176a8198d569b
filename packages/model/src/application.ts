/** What makes an app version what it is. Equality uses all three parts. */
export interface ApplicationDefinition {
  /** A DNS label of at most 40 characters, unique per installation. */
  readonly applicationId: string;
  /** Changes with triggers, bindings, host.json and what bindings name: a new JobHost. */
  readonly metadataVersion: string;
  /** Changes with the code alone: new workers beside the old ones in the same JobHost. */
  readonly codeVersion: string;
}

/** What a worker must be to serve an app. Matching is exact. */
export interface Stack {
  /** `node`, `python`, `java`, `powershell`, `dotnet-isolated`, `custom`. */
  readonly runtime: string;
  /** The language's version as the app asks for it; empty for the pool's default. */
  readonly version: string;
  /** `x64` or `arm64`. */
  readonly architecture: string;
}

/** `applicationId:metadataVersion`, the identity of a JobHost. */
export function jobHostKey(definition: ApplicationDefinition): string {
  return `${definition.applicationId}:${definition.metadataVersion}`;
}

/** A DNS label of at most 40 characters. */
const applicationIdPattern = /^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/;

/** True when `text` may be an applicationId. */
export function isApplicationId(text: string): boolean {
  return applicationIdPattern.test(text);
}

/** Tenants are named like apps. */
export function isTenantId(text: string): boolean {
  return applicationIdPattern.test(text);
}

/** The nearest applicationId to a folder or package name: lower case, other characters become dashes. */
export function toApplicationId(name: string): string {
  const label = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
    .replace(/^-+|-+$/g, '');
  return label === '' ? 'app' : label;
}
