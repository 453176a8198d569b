/** Azure Container Apps behind the scripted resource manager. */
import type { ArmAnswer, ArmProvider, ArmRequest } from './scripted-arm.ts';

interface Template {
  readonly revisionSuffix?: string;
  readonly containers?: readonly { readonly image?: string; readonly env?: readonly object[] }[];
  readonly scale?: { readonly minReplicas?: number };
}

interface AppProperties {
  readonly configuration?: {
    readonly ingress?: { readonly traffic?: readonly { readonly revisionName?: string; readonly weight?: number }[] };
    readonly secrets?: readonly { readonly name: string; readonly value?: string }[];
  };
  readonly template?: Template;
}

interface AppBody {
  readonly location: string;
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties: AppProperties;
}

interface StoredRevision {
  readonly template: Template;
  active: boolean;
}

interface StoredApp {
  body: AppBody;
  readonly revisions: Map<string, StoredRevision>;
}

const base =
  /^\/subscriptions\/sub\/resourceGroups\/shops\/providers\/Microsoft\.App\/containerApps(?:\/([a-z0-9-]+))?(\/.*)?$/;

export class ScriptedContainerApps {
  readonly apps = new Map<string, StoredApp>();
  /** Images that cannot be had, that never become healthy, and whose replicas stopped being healthy. */
  readonly broken = new Set<string>();
  readonly slow = new Set<string>();
  readonly spoilt = new Set<string>();
  /** Requests that changed something. */
  changes = 0;

  readonly provider: ArmProvider = (request) => {
    const found = base.exec(request.path);
    if (found === null) return undefined;
    const [, name, rest = ''] = found;
    if (name === undefined)
      return { status: 200, body: { value: [...this.apps.keys()].map((one) => this.#show(one)) } };
    return this.#answer(name, rest, request);
  };

  activeRevisions(name: string): readonly string[] {
    const active = [...(this.apps.get(name)?.revisions ?? [])].filter(([, revision]) => revision.active);
    return active.map(([, { template }]) => template.containers?.[0]?.image ?? '');
  }

  #answer(name: string, rest: string, { method, body }: ArmRequest): ArmAnswer | undefined {
    const app = this.apps.get(name);
    if (rest === '' && method === 'PUT') return this.#put(name, body as AppBody);
    if (app === undefined) return undefined;
    if (rest === '' && method === 'GET') return { status: 200, body: this.#show(name) };
    if (rest === '' && method === 'PATCH') return this.#patch(name, app, body as AppBody);
    if (rest === '' && method === 'DELETE') {
      this.apps.delete(name);
      this.changes += 1;
      return { status: 202, isOperation: true };
    }
    if (rest === '/listSecrets')
      return { status: 200, body: { value: app.body.properties.configuration?.secrets ?? [] } };
    const [, revisionName, action] = /^\/revisions(?:\/([a-z0-9-]+))?(?:\/(\w+))?$/.exec(rest) ?? [];
    const all = [...app.revisions].map(([one, revision]) => this.#showRevision(one, revision));
    if (revisionName === undefined) return { status: 200, body: { value: all } };
    const revision = app.revisions.get(revisionName);
    if (revision === undefined) return undefined;
    if (action === undefined) return { status: 200, body: this.#showRevision(revisionName, revision) };
    this.changes += 1;
    if (action !== 'restart') revision.active = action === 'activate';
    return { status: 200 };
  }

  #put(name: string, body: AppBody): ArmAnswer {
    const refusal = refusalOf(name, body);
    if (refusal !== undefined) return refusal;
    this.apps.set(name, { body, revisions: new Map() });
    this.#revise(name, body.properties.template ?? {});
    return { status: 201, body: this.#show(name), isOperation: true };
  }

  #patch(name: string, app: StoredApp, body: AppBody): ArmAnswer {
    const { properties: before } = app.body;
    const { configuration, template } = body.properties ?? {};
    const merged = { ...before.configuration, ...configuration };
    const properties = {
      configuration: merged,
      ...(template === undefined ? { template: before.template } : { template }),
    };
    const after = { ...app.body, tags: body.tags ?? app.body.tags, properties } as AppBody;
    const refusal = refusalOf(name, after) ?? this.#refusalOfTraffic(app, after);
    if (refusal !== undefined) return refusal;
    app.body = after;
    if (template !== undefined) this.#revise(name, template);
    this.changes += 1;
    return { status: 202, isOperation: true };
  }

  /** Traffic goes to revisions that are there, and all of it. */
  #refusalOfTraffic({ revisions }: StoredApp, { properties }: AppBody): ArmAnswer | undefined {
    const traffic = properties.configuration?.ingress?.traffic;
    if (traffic === undefined) return undefined;
    const sum = traffic.reduce((total, { weight = 0 }) => total + weight, 0);
    const unknown = traffic.find(({ revisionName = '' }) => revisions.get(revisionName)?.active !== true);
    if (sum === 100 && unknown === undefined) return undefined;
    return invalid(`traffic of ${sum} % with ${unknown?.revisionName ?? 'known revisions'}`);
  }

  #revise(name: string, template: Template): void {
    const revisions = this.apps.get(name)?.revisions;
    const revisionName = `${name}--${template.revisionSuffix ?? 'none'}`;
    const found = revisions?.get(revisionName);
    if (found !== undefined) found.active = true;
    else revisions?.set(revisionName, { template, active: true });
    this.changes += 1;
  }

  #show(name: string): object | undefined {
    const app = this.apps.get(name);
    if (app === undefined) return undefined;
    const { configuration, template } = app.body.properties;
    // Values of secrets are told by listSecrets alone.
    const secrets = configuration?.secrets?.map((secret) => ({ name: secret.name }));
    const ingress = configuration?.ingress;
    const shown = ingress === undefined ? {} : { ingress: { ...ingress, fqdn: `${name}.example.net` } };
    const properties = {
      template,
      provisioningState: 'Succeeded',
      configuration: { ...configuration, secrets, ...shown },
    };
    return { id: `/subscriptions/sub/${name}`, name, ...app.body, properties };
  }

  #showRevision(name: string, { template, active }: StoredRevision): object {
    const image = template.containers?.[0]?.image ?? '';
    const isBroken = this.broken.has(image);
    const isSlow = this.slow.has(image);
    const isWell = !isBroken && !isSlow && !this.spoilt.has(image);
    const properties = {
      ...{ template, active, replicas: active ? Math.max(1, template.scale?.minReplicas ?? 0) : 0 },
      provisioningState: isBroken ? 'Failed' : isSlow ? 'Provisioning' : 'Provisioned',
      ...(isBroken ? { provisioningError: `there is no image ${image}` } : {}),
      healthState: isWell ? 'Healthy' : isSlow ? 'None' : 'Unhealthy',
    };
    return { name, properties };
  }
}

function refusalOf(name: string, { properties }: AppBody): ArmAnswer | undefined {
  if (name.length > 32) return invalid(`the name ${name}`);
  const { secrets = [] } = properties.configuration ?? {};
  const bad = secrets.find((secret) => !/^[a-z0-9][a-z0-9-]*$/.test(secret.name) || secret.value === undefined);
  if (bad !== undefined) return invalid(`the secret ${bad.name}`);
  const names = new Set(secrets.map((secret) => secret.name));
  const env = properties.template?.containers?.[0]?.env ?? [];
  const missing = env.find((one) => 'secretRef' in one && !names.has(String(one.secretRef)));
  return missing === undefined ? undefined : invalid('an environment without its secret');
}

function invalid(what: string): ArmAnswer {
  return { status: 400, body: { error: { code: 'InvalidParameterValue', message: `${what} is not valid` } } };
}
