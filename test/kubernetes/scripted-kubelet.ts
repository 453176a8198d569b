/**
 * A cluster of one node: the few calls of the Kubernetes API over TLS, and pods that really run, as containers of a test engine on a
 * network of their own. What a manifest says of a container is what it gets: user, read-only files, limits, mounts, probes.
 *
 * Ownership: a test opens it and closes it; its containers end with it.
 */

import type { IncomingMessage } from 'node:http';
import { createServer, request, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createSelfSigned } from '@switchyard/protocol/testing';
import { z } from 'zod';

/** Runs a command of docker; throws with what it said when it fails. */
export type Docker = (...words: readonly string[]) => string;

export interface KubeletOptions {
  readonly docker: Docker;
  readonly namespace: string;
  /** Secrets of the namespace: folders with their files. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly subnet: string;
}

const containerSchema = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()),
  env: z.array(z.object({ name: z.string(), value: z.string().optional(), valueFrom: z.unknown().optional() })),
  ports: z.array(z.object({ name: z.string(), containerPort: z.number() })),
  resources: z.object({
    requests: z.object({ cpu: z.string(), memory: z.string() }),
    limits: z.object({ cpu: z.string(), memory: z.string() }),
  }),
  securityContext: z.object({
    allowPrivilegeEscalation: z.literal(false),
    readOnlyRootFilesystem: z.literal(true),
    capabilities: z.object({ drop: z.tuple([z.literal('ALL')]) }),
  }),
  readinessProbe: z.looseObject({
    httpGet: z.object({ path: z.string(), port: z.string(), scheme: z.literal('HTTPS') }),
  }),
  livenessProbe: z.unknown(),
  volumeMounts: z.array(z.object({ name: z.string(), mountPath: z.string(), readOnly: z.boolean().optional() })),
});

const podSchema = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()) }),
  spec: z.object({
    serviceAccountName: z.string(),
    automountServiceAccountToken: z.literal(false),
    restartPolicy: z.literal('Never'),
    securityContext: z.looseObject({ runAsUser: z.number(), runAsGroup: z.number() }),
    containers: z.tuple([containerSchema]),
    volumes: z.array(
      z.object({
        name: z.string(),
        emptyDir: z.unknown().optional(),
        secret: z.object({ secretName: z.string() }).optional(),
      }),
    ),
  }),
});

type PodManifest = z.infer<typeof podSchema>;

const network = 'pods';

const credentialsApi = 'client.authentication.k8s.io/v1';

export class ScriptedKubelet {
  /** Each call, as `POST pods`. */
  readonly asked: string[] = [];
  readonly token = 'a-token-of-the-cluster';
  readonly authority: string;
  url = '';
  readonly #options: KubeletOptions;
  readonly #pods = new Map<string, PodManifest>();
  readonly #server: Server;

  private constructor(options: KubeletOptions) {
    this.#options = options;
    const { certificate, key } = createSelfSigned('kubernetes');
    this.authority = certificate;
    this.#server = createServer({ cert: certificate, key }, (incoming, response) => {
      this.#answer(incoming).then(
        ([status, body]) =>
          response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body)),
        (thrown: unknown) => response.writeHead(500).end(JSON.stringify({ kind: 'Status', message: String(thrown) })),
      );
    });
  }

  static async open(options: KubeletOptions): Promise<ScriptedKubelet> {
    const kubelet = new ScriptedKubelet(options);
    options.docker('network', 'create', '--subnet', options.subnet, network);
    await new Promise<void>((resolve) => kubelet.#server.listen(0, '127.0.0.1', resolve));
    kubelet.url = `https://127.0.0.1:${(kubelet.#server.address() as AddressInfo).port}`;
    return kubelet;
  }

  /** What a program prints that fetches a credential for it. */
  get credential(): string {
    const status = { token: this.token, expirationTimestamp: '2999-01-01T00:00:00Z' };
    return JSON.stringify({ apiVersion: credentialsApi, kind: 'ExecCredential', status });
  }

  /** A kubeconfig for it, whose user has a program that fetches the credential. */
  kubeconfig(program: string): string {
    return JSON.stringify({
      'current-context': 'test',
      contexts: [{ name: 'test', context: { cluster: 'one', user: 'installation' } }],
      clusters: [
        {
          name: 'one',
          cluster: { server: this.url, 'certificate-authority-data': Buffer.from(this.authority).toString('base64') },
        },
      ],
      users: [{ name: 'installation', user: { exec: { apiVersion: credentialsApi, command: program } } }],
    });
  }

  get podNames(): readonly string[] {
    return [...this.#pods.keys()];
  }

  manifestOf(name: string): PodManifest | undefined {
    return this.#pods.get(name);
  }

  /** The process of a pod dies. */
  kill(name: string): void {
    this.#options.docker('kill', name);
  }

  async close(): Promise<void> {
    for (const name of this.#pods.keys()) this.#options.docker('rm', '--force', '--volumes', name);
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    this.#options.docker('network', 'rm', network);
  }

  async #answer(incoming: IncomingMessage): Promise<readonly [status: number, body: unknown]> {
    if (incoming.headers.authorization !== `Bearer ${this.token}`) return [401, status('Unauthorized')];
    const { pathname, searchParams } = new URL(incoming.url ?? '/', this.url);
    const [, namespace, name] = /^\/api\/v1\/namespaces\/([^/]+)\/pods(?:\/([^/]+))?$/.exec(pathname) ?? [];
    if (namespace !== this.#options.namespace) return [403, status(`pods is forbidden in '${namespace}'`)];
    this.asked.push(`${incoming.method} pods`);
    switch (incoming.method) {
      case 'POST':
        return [201, this.#create(podSchema.parse(JSON.parse(await textOf(incoming))))];
      case 'GET':
        return [200, await this.#list(searchParams.get('labelSelector') ?? '')];
      case 'DELETE':
        return this.#delete(name ?? '', searchParams.get('gracePeriodSeconds') ?? '30');
      default:
        return [405, status('not allowed')];
    }
  }

  #create(pod: PodManifest): PodManifest {
    const { docker, secrets } = this.#options;
    const { metadata, spec } = pod;
    const [container] = spec.containers;
    const { limits } = container.resources;
    const { runAsUser, runAsGroup } = spec.securityContext;
    const volumes = new Map(spec.volumes.map((volume) => [volume.name, volume]));
    const mounts = container.volumeMounts.flatMap(({ name, mountPath }) => {
      const secret = volumes.get(name)?.secret?.secretName;
      if (secret === undefined) return ['--tmpfs', `${mountPath}:rw,exec,uid=${runAsUser},gid=${runAsGroup}`];
      const folder = secrets[secret];
      if (folder === undefined) throw new Error(`there is no Secret ${secret}`);
      return ['--volume', `${folder}:${mountPath}:ro`];
    });
    // What it expands is not known before the container has its address: an address is given to it here.
    const address = this.#nextAddress();
    const variables = container.env.map(({ name, value }) => [name, value ?? address] as const);
    const args = container.args.map((word) =>
      word.replaceAll(/\$\((\w+)\)/g, (_, name: string) => new Map(variables).get(name) ?? ''),
    );
    docker(
      ...['run', '--detach', '--name', metadata.name, '--network', network, '--ip', address],
      ...['--user', `${runAsUser}:${runAsGroup}`, '--read-only', '--cap-drop', 'ALL'],
      ...['--security-opt', 'no-new-privileges', '--memory', toBytes(limits.memory), '--cpus', limits.cpu],
      ...variables.flatMap(([name, value]) => ['--env', `${name}=${value}`]),
      ...mounts,
      ...[container.image, ...args],
    );
    this.#pods.set(metadata.name, pod);
    return pod;
  }

  #last = 1;

  #nextAddress(): string {
    this.#last += 1;
    return this.#options.subnet.replace(/\d+\/\d+$/, String(this.#last));
  }

  async #list(selector: string): Promise<unknown> {
    const [label = '', value] = selector.split('=');
    const items = [...this.#pods].filter(([, { metadata }]) => metadata.labels[label] === value);
    return { kind: 'PodList', items: await Promise.all(items.map(([name, pod]) => this.#view(name, pod))) };
  }

  async #view(name: string, { metadata, spec }: PodManifest): Promise<unknown> {
    const [seen] = JSON.parse(this.#options.docker('inspect', name));
    const podIP: string = seen.NetworkSettings.Networks[network].IPAddress;
    const { Running: isRunning, ExitCode: exitCode } = seen.State;
    if (!isRunning) {
      const terminated = { exitCode, reason: exitCode === 0 ? 'Completed' : 'Error' };
      const phase = exitCode === 0 ? 'Succeeded' : 'Failed';
      return { metadata, status: { phase, podIP, containerStatuses: [{ state: { terminated } }] } };
    }
    const [{ readinessProbe, ports }] = spec.containers;
    const { path, port } = readinessProbe.httpGet;
    const number = ports.find((one) => one.name === port)?.containerPort;
    const isReady = await probe(`https://${podIP}:${number}${path}`);
    const conditions = [{ type: 'Ready', status: isReady ? 'True' : 'False' }];
    return { metadata, status: { phase: 'Running', podIP, conditions } };
  }

  #delete(name: string, graceSeconds: string): readonly [status: number, body: unknown] {
    const { docker } = this.#options;
    if (!this.#pods.delete(name)) return [404, status('not found')];
    docker('stop', '--time', graceSeconds, name);
    docker('rm', '--force', '--volumes', name);
    return [200, status('deleted')];
  }
}

const status = (message: string): unknown => ({ kind: 'Status', message });

async function textOf(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

/** As a kubelet asks: whatever certificate is shown. */
function probe(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asking = request(url, { rejectUnauthorized: false, agent: false, timeout: 2_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asking.once('timeout', () => asking.destroy());
    asking.once('error', () => resolve(false));
    asking.end();
  });
}

function toBytes(quantity: string): string {
  return quantity.replace(/^(\d+)([KMG])i$/, (_, number: string, unit: string) => `${number}${unit.toLowerCase()}`);
}
