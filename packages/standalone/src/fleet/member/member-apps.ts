/** The apps that an installation has given to this Runtime: carries out what comes over the channel. */
import type { SupplyEvent } from '@switchyard/protocol';
import type { FunctionKeys, KeyStore, RestartOutcome, Runtime, RuntimeApplication } from '@switchyard/runtime';
import type { PinnedCertificates } from '../../http/pinned-certificates.ts';
import { fleetErrors } from '../errors.ts';
import type { RuntimeCalls, RuntimeNotes, SentKey } from '../messages.ts';
import { toRuntimeApplication } from '../sent-application.ts';
import type { LinkSupply } from './link-supply.ts';
import type { MemberViews } from './member-views.ts';

export interface MemberAppsDeps {
  readonly runtime: () => Runtime;
  readonly supply: LinkSupply;
  readonly views: MemberViews;
  readonly keyStoreOf: (applicationId: string) => KeyStore;
  readonly keysOf: (sent: () => readonly SentKey[]) => FunctionKeys;
  /** What is believed of single sidecars, while the installation says so. */
  readonly pinned: PinnedCertificates;
  /** The installation should hear at once how this Runtime does. */
  readonly hurry: () => void;
}

const noKeys: readonly SentKey[] = [];

export class MemberApps {
  readonly #deps: MemberAppsDeps;
  readonly #keys = new Map<string, readonly SentKey[]>();
  /** Aborts what is asked on behalf of an installation that is away. */
  #gone = new AbortController();
  readonly #latest = new Map<string, RuntimeApplication>();

  constructor(deps: MemberAppsDeps) {
    this.#deps = deps;
  }

  /** The version of an app that came last. */
  latestOf(applicationId: string): RuntimeApplication | undefined {
    return this.#latest.get(applicationId);
  }

  async call(method: string, body: unknown): Promise<unknown> {
    const runtime = this.#deps.runtime();
    switch (method as keyof RuntimeCalls) {
      case 'addApplication': {
        const { application: sent, standby, start } = body as RuntimeCalls['addApplication'][0];
        const { applicationId } = sent.definition;
        this.#keys.set(applicationId, sent.keys ?? noKeys);
        const keys = this.#deps.keysOf(() => this.#keys.get(applicationId) ?? noKeys);
        const application = toRuntimeApplication(sent, { keys, keyStore: this.#deps.keyStoreOf(applicationId) });
        this.#latest.set(applicationId, application);
        return await runtime.addApplication(application, { standby, start });
      }
      case 'promoteApplication':
        await runtime.promoteApplication((body as RuntimeCalls['promoteApplication'][0]).key);
        return null;
      case 'removeApplication': {
        const { key, deadlineMs } = body as RuntimeCalls['removeApplication'][0];
        await runtime.removeApplication(key, deadlineMs);
        return null;
      }
      case 'setTraffic': {
        const { applicationId, shares, options } = body as RuntimeCalls['setTraffic'][0];
        await runtime.setTraffic(applicationId, shares, options);
        return null;
      }
      case 'removeVersion': {
        const { definition, deadlineMs } = body as RuntimeCalls['removeVersion'][0];
        await runtime.removeVersion(definition, deadlineMs);
        return null;
      }
      case 'updateEnvironment': {
        const { definition, variables } = body as RuntimeCalls['updateEnvironment'][0];
        return await runtime.updateEnvironment(definition, new Map(Object.entries(variables)));
      }
      case 'backlogs': {
        const { applicationId } = body as RuntimeCalls['backlogs'][0];
        return await runtime.backlogs(applicationId, this.#gone.signal);
      }
      case 'metrics':
        return this.#deps.views.metrics();
      case 'restartWorker':
        return await restart(runtime, body as RuntimeCalls['restartWorker'][0]);
      default:
        throw fleetErrors.create('FLEET_METHOD_UNKNOWN', { method: method.slice(0, 80) });
    }
  }

  note(method: string, body: unknown): void {
    switch (method as keyof RuntimeNotes) {
      case 'scaleTo': {
        const { definition, wish } = body as RuntimeNotes['scaleTo'];
        this.#deps.runtime().scaleTo(definition, wish);
        return;
      }
      case 'supply':
        this.#deps.supply.tell(body as SupplyEvent);
        return;
      case 'keys': {
        const { applicationId, keys } = body as RuntimeNotes['keys'];
        if (this.#keys.has(applicationId)) this.#keys.set(applicationId, keys);
        return;
      }
      case 'trace': {
        const { applicationId, isWatched } = body as RuntimeNotes['trace'];
        this.#deps.views.watch(applicationId, isWatched);
        return;
      }
      case 'certificate': {
        const { origin, certificate } = body as RuntimeNotes['certificate'];
        this.#deps.pinned.set(origin, certificate);
        return;
      }
      case 'hurry':
        this.#deps.hurry();
    }
  }

  /** The installation is away, or has given the apps to others: they end here. */
  async leave(deadlineMs: number): Promise<void> {
    this.#deps.views.leave();
    const runtime = this.#deps.runtime();
    await Promise.allSettled(runtime.status().map(({ key }) => runtime.removeApplication(key, deadlineMs)));
    this.#gone.abort();
    this.#gone = new AbortController();
    this.#deps.supply.forget();
    this.#deps.pinned.clear();
    this.#keys.clear();
    this.#latest.clear();
  }
}

async function restart(
  runtime: Runtime,
  { workerId, wish: { environment, ...given } }: RuntimeCalls['restartWorker'][0],
): Promise<RestartOutcome> {
  const { reason, executable, arguments: words, workerPath } = given;
  return await runtime.restartWorker(workerId, {
    reason,
    ...(executable === undefined ? {} : { executable }),
    ...(words === undefined ? {} : { arguments: words }),
    ...(workerPath === undefined ? {} : { workerPath }),
    ...(environment === undefined ? {} : { environment: new Map(Object.entries(environment)) }),
  });
}
