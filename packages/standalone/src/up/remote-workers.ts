/** Workers of another place than this process: what pools are filled with instead of its own processes. */
import type { Catalog } from '@switchyard/control-plane';
import type { TokenIssuer } from '@switchyard/identity';
import type { Assignment, PodProvider } from '@switchyard/protocol';
import { type DeployedVersion, packageVersionOf } from './versions/deployed-version.ts';
import { deployedEnvironment } from './versions/worker-environment.ts';

export interface RemoteWorkers {
  readonly provider: PodProvider;
  /** What such a worker is told: it fetches the package, and dials the port for workers. */
  assignmentFor(version: AssignedVersion): Promise<Assignment>;
}

type AssignedVersion = Pick<DeployedVersion, 'definition' | 'tenantId' | 'directory' | 'stack' | 'values'>;

export interface RemoteAssignmentDeps {
  readonly issuer: TokenIssuer;
  readonly catalog: Pick<Catalog, 'versions'>;
}

/** Where such workers find this installation, without a slash at the end. */
export interface RemoteReach {
  readonly controlUrl: string;
  readonly rpcUrl: string;
  /** The port of the gateway, as workers are told it. */
  readonly gatewayPort: number;
}

/** The token for the package counts so long: a fetch takes seconds. */
const packageTokenMs = 10 * 60_000;

/** Folders of this machine mean nothing in a container. */
const localNames = ['AzureWebJobsScriptRoot', 'FUNCTIONS_APPLICATION_DIRECTORY'];

export function createRemoteAssignments(
  { issuer, catalog }: RemoteAssignmentDeps,
  { controlUrl, rpcUrl, gatewayPort }: RemoteReach,
): RemoteWorkers['assignmentFor'] {
  return async (version) => {
    const { definition, tenantId } = version;
    const { applicationId, codeVersion } = definition;
    const known = catalog.versions.get(applicationId, packageVersionOf(codeVersion));
    if (known === undefined) throw new Error('the version was taken out meanwhile');
    const { sha256 } = known;
    const grant = { subject: 'sidecar', tenants: [tenantId], scopes: ['read'] };
    const variables = deployedEnvironment(version, {
      machine: {},
      hostName: `${applicationId}.localhost:${gatewayPort}`,
    });
    return {
      ...{ application: definition, tenantId, token: undefined },
      runtimeEndpoint: rpcUrl,
      content: {
        ...{ kind: 'package', url: `${controlUrl}/v1/packages/${sha256}`, sha256 },
        token: await issuer.control(grant, packageTokenMs),
      },
      environment: new Map([...variables].filter(([name]) => !localNames.includes(name))),
    };
  };
}

/** The image of a stack: of its very version, or of its language. */
export function imageFor(
  images: ReadonlyMap<string, string>,
  { runtime, version }: AssignedVersion['stack'],
): string | undefined {
  return images.get(`${runtime}:${version}`) ?? images.get(runtime);
}
