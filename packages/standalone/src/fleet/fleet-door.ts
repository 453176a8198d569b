/**
 * Where Runtimes of other processes join an installation: a stream on the port for workers, with a token of the control API.
 *
 * Ownership: the composition root. What joins is a member of the fleet until its stream ends.
 *
 * I1 Nobody joins without a token for all tenants with the scopes deploy and secrets: a Runtime gets every app's secrets.
 * I2 A stream that has not joined within `joinMs` ends, and one that has joined cannot join again.
 * I3 When the stream ends the Runtime is lost, and its workers are given back.
 */
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { type ControlVerdict, refuseClearTokens } from '@switchyard/identity';
import { type Clock, type Log, messageOf, type Random } from '@switchyard/kernel';
import { createFramePeer, type FramePeer, grpcStatus, type Link, type WorkerSupply } from '@switchyard/protocol';
import { type JoinAnswer, type JoinRequest, joinRequestSchema } from '@switchyard/protocol/control-api';
import type { KeyStore } from '@switchyard/runtime';
import { createRuntimeSupply, type ListenerLeases, type RuntimeSupply } from '@switchyard/scale-controller';
import type { MetricSeries } from '@switchyard/telemetry';
import type { PinnedCertificates } from '../http/pinned-certificates.ts';
import type { TraceTap } from '../up/trace-tap.ts';
import { fleetErrors } from './errors.ts';
import type { FleetMember } from './fleet-places.ts';
import type { FleetRuntime } from './fleet-runtime.ts';
import type { ForwardTarget } from './forward-request.ts';
import type { InstallationCalls, InstallationNotes, SentKey } from './messages.ts';
import { RemoteRuntime } from './remote-runtime.ts';

export interface FleetDoorDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly fleet: FleetRuntime;
  readonly leases: ListenerLeases;
  readonly supply: WorkerSupply;
  readonly guard: (authorization: string | undefined) => Promise<ControlVerdict>;
  readonly publicKeys: () => unknown;
  readonly keysOf: (applicationId: string) => readonly SentKey[];
  readonly keyStoreOf: (applicationId: string) => KeyStore;
  /** Who watches frames of workers here. */
  readonly traces: Pick<TraceTap, 'watchedApps' | 'onWatched' | 'show'>;
  /** Certificates of single sidecars: Runtimes stream to those, too. */
  readonly pinned: Pick<PinnedCertificates, 'watch'>;
  /** True for a process that the installation has started itself. */
  readonly isOurs: (instanceId: string) => boolean;
  /** A Runtime that somebody else has started joins: it may outlive the installation. */
  readonly onOutsider: () => void;
}

export interface FleetDoorOptions {
  readonly maximum: number;
  readonly listenerMs: number;
  /** Who has signed the certificates of Runtimes, as PEM; those whom everybody trusts when left out. */
  readonly authority?: string | undefined;
  /** Lets requests and tokens of workers go to Runtimes of other machines in clear. */
  readonly allowsClear?: boolean;
  /** Where a lost stream means that the process is gone: those that we have started are watched. */
  readonly joinMs?: number;
}

interface Joined {
  readonly member: FleetMember;
  readonly runtime: RemoteRuntime;
  readonly supply: RuntimeSupply;
  readonly target: ForwardTarget;
  readonly peer: FramePeer;
  readonly instanceId: string;
  /** Ends what it is told of certificates. */
  leavePinned(): void;
}

const reportMs = 1_000;
const joinMs = 10_000;
/** How long the apps of a Runtime that ends may take to go elsewhere. */
const leaveMs = 40_000;
const neededScopes = ['deploy', 'secrets'] as const;

/** Log lines beyond so many unsent bytes are dropped at the Runtime's end; this end takes them as they come. */
export class FleetDoor {
  readonly #deps: FleetDoorDeps;
  readonly #options: FleetDoorOptions;
  readonly #joined = new Map<string, Joined>();
  readonly #leaveTraces: () => void;
  #moves = true;

  constructor(deps: FleetDoorDeps, options: FleetDoorOptions) {
    this.#deps = deps;
    this.#options = options;
    this.#leaveTraces = deps.traces.onWatched((applicationId, isWatched) => {
      for (const { runtime } of this.#joined.values()) runtime.trace(applicationId, isWatched);
    });
  }

  /** Takes a stream over. */
  accept(link: Link): void {
    this.#admit(link).catch((thrown: unknown) =>
      link.cancel({ code: grpcStatus.internal, message: messageOf(thrown) }),
    );
  }

  targetOf(runtimeId: string): ForwardTarget | undefined {
    return this.#joined.get(runtimeId)?.target;
  }

  /** The Runtime of a process that was started here; undefined before it has joined. */
  runtimeIdOf(instanceId: string): string | undefined {
    return [...this.#joined].find(([, joined]) => joined.instanceId === instanceId)?.[0];
  }

  /** Where the workers of a Runtime connect. */
  rpcUrlOf(runtimeId: string): string | undefined {
    return this.#joined.get(runtimeId)?.member.rpcUrl;
  }

  /** The installation ends: apps of Runtimes that leave stay where they are. */
  stopMoving(): void {
    this.#moves = false;
  }

  /** The keys of an app have changed. */
  keysChanged(applicationId: string): void {
    for (const { runtime } of this.#joined.values()) runtime.sendKeys(applicationId);
  }

  /** What a Runtime may listen for has changed. */
  hurry(): void {
    for (const { runtime } of this.#joined.values()) runtime.hurry();
  }

  /** What the Runtimes have measured, each series with the id of its Runtime; of one that does not answer in time, nothing. */
  async metrics(): Promise<readonly MetricSeries[]> {
    const all = [...this.#joined].map(async ([runtime, joined]) => {
      const { series } = await joined.runtime.metrics();
      return series.map((one) => ({ ...one, labels: { ...one.labels, runtime } }));
    });
    return (await Promise.allSettled(all)).flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  }

  /** The process of a Runtime is gone. */
  dead(runtimeId: string): void {
    this.#lose(runtimeId, true);
    this.#deps.leases.dead(runtimeId);
  }

  close(): void {
    this.#leaveTraces();
    for (const { peer } of [...this.#joined.values()]) {
      peer.close({ code: grpcStatus.unavailable, message: 'the installation ends' });
    }
  }

  async #admit(link: Link): Promise<void> {
    const verdict = await this.#deps.guard(link.metadata.get('authorization'));
    if (verdict.kind === 'refused') {
      link.cancel({ code: grpcStatus.unauthenticated, message: verdict.reason });
      return;
    }
    if (verdict.tenants !== '*' || !neededScopes.every((scope) => verdict.scopes.includes(scope))) {
      link.cancel({ code: grpcStatus.permissionDenied, message: 'the token is not one for a Runtime' });
      return;
    }
    let joined: Joined | undefined;
    const late = this.#deps.clock.schedule(joinMs, () =>
      link.cancel({ code: grpcStatus.deadlineExceeded, message: `nobody joined within ${joinMs} ms` }),
    );
    const peer: FramePeer = createFramePeer(this.#deps.clock, link, {
      call: async (method, body) => {
        if (method === 'join' && joined === undefined) {
          late.cancel();
          joined = this.#join(peer, body);
          return answerTo(joined, this.#options.listenerMs);
        }
        if (joined === undefined) throw fleetErrors.create('FLEET_METHOD_UNKNOWN', { method });
        return await this.#answer(joined, method, body);
      },
      note: (method, body) => {
        if (joined !== undefined) this.#note(joined, method, body);
      },
    });
    await peer.closed;
    late.cancel();
    if (joined !== undefined) this.#lose(joined.member.runtimeId, false);
  }

  #join(peer: FramePeer, body: unknown): Joined {
    const { fleet, log, random } = this.#deps;
    const request = readJoin(body);
    const { maximum } = this.#options;
    if (fleet.members.length >= maximum) throw fleetErrors.create('FLEET_FULL', { maximum, name: request.name });
    for (const url of [request.gatewayUrl, request.rpcUrl]) this.#refuseClear(request.name, url);
    const runtimeId = this.#newId(request.name);
    const runtime = new RemoteRuntime({ peer, keysOf: this.#deps.keysOf });
    const isOurs = this.#deps.isOurs(request.instanceId);
    const member: FleetMember = {
      ...{ runtimeId, runtime, region: request.region, rpcUrl: request.rpcUrl },
      ...{ maxWorkers: request.maxWorkers, maxApplications: request.maxApplications },
      ...{ kind: isOurs ? 'started' : 'joined', memoryUtilization: 0, state: 'ready' },
    };
    const supply = createRuntimeSupply(this.#deps.supply, runtimeId, member.maxWorkers);
    supply.watch((event) => peer.note('supply', event));
    const url = new URL(request.gatewayUrl);
    const agent = this.#createAgent(url);
    const key = Buffer.from(random.bytes(32)).toString('base64url');
    const target = { runtimeId, url, agent, key };
    const joined: Joined = { member, runtime, supply, target, peer, instanceId: request.instanceId, leavePinned() {} };
    this.#joined.set(runtimeId, joined);
    if (!isOurs) this.#deps.onOutsider();
    const { region, rpcUrl } = request;
    log.write('information', 'A Runtime has joined', { runtimeId, kind: member.kind, region, rpcUrl });
    // Its apps come after the answer, which it needs to take them.
    this.#deps.clock.schedule(0, () => {
      if (this.#joined.get(runtimeId) !== joined) return;
      joined.leavePinned = this.#deps.pinned.watch((...pinned) => runtime.believe(...pinned));
      fleet.add(member);
      for (const applicationId of this.#deps.traces.watchedApps()) runtime.trace(applicationId, true);
    });
    return joined;
  }

  /** Requests carry what callers sent, and the key of the join; streams carry the tokens of workers. */
  #refuseClear(name: string, url: string): void {
    const refusal = refuseClearTokens(url, { allow: this.#options.allowsClear ?? false });
    if (refusal !== undefined) throw fleetErrors.create('FLEET_JOIN_IN_CLEAR', { name, url });
  }

  #createAgent({ protocol }: URL): Agent | SecureAgent {
    const { authority: ca } = this.#options;
    if (protocol !== 'https:') return new Agent({ keepAlive: true });
    return new SecureAgent({ keepAlive: true, ...(ca === undefined ? {} : { ca }) });
  }

  #newId(name: string): string {
    for (let number = 1; ; number += 1) {
      const id = number === 1 ? name : `${name}-${number}`;
      if (id !== 'local' && !this.#joined.has(id)) return id;
    }
  }

  async #answer({ member, runtime }: Joined, method: string, body: unknown): Promise<unknown> {
    const { leases, publicKeys, keyStoreOf } = this.#deps;
    switch (method as keyof InstallationCalls) {
      case 'report': {
        const report = body as InstallationCalls['report'][0];
        runtime.reported(report);
        member.memoryUtilization = report.memoryUtilization;
        return leases.report(member.runtimeId, report.adopted);
      }
      case 'leave':
        if (this.#moves) await this.#deps.fleet.drainMember(member.runtimeId, leaveMs);
        return null;
      case 'publicKeys':
        return publicKeys();
      case 'keyList': {
        const { applicationId, scope } = body as InstallationCalls['keyList'][0];
        return await keyStoreOf(applicationId).list(scope);
      }
      case 'keySet': {
        const { applicationId, scope, name, value } = body as InstallationCalls['keySet'][0];
        return await keyStoreOf(applicationId).set(scope, name, value);
      }
      case 'keyEnsure': {
        const { applicationId, scope, name } = body as InstallationCalls['keyEnsure'][0];
        return await keyStoreOf(applicationId).ensure(scope, name);
      }
      case 'keyRemove': {
        const { applicationId, scope, name } = body as InstallationCalls['keyRemove'][0];
        return await keyStoreOf(applicationId).remove(scope, name);
      }
      default:
        throw fleetErrors.create('FLEET_METHOD_UNKNOWN', { method: method.slice(0, 80) });
    }
  }

  #note({ runtime, supply, member }: Joined, method: string, body: unknown): void {
    switch (method as keyof InstallationNotes) {
      case 'ensure':
        supply.ensure(body as InstallationNotes['ensure']);
        return;
      case 'release': {
        const { workerId, reason } = body as InstallationNotes['release'];
        supply.release(workerId, reason);
        return;
      }
      case 'wake':
        runtime.woke(body as InstallationNotes['wake']);
        return;
      case 'status':
        runtime.heard(body as InstallationNotes['status']);
        return;
      case 'traced': {
        const { applicationId, frame, dropped } = body as InstallationNotes['traced'];
        if (dropped > 0) this.#deps.traces.show(applicationId, { dropped });
        this.#deps.traces.show(applicationId, frame);
        return;
      }
      case 'log': {
        const { level, message, fields } = body as InstallationNotes['log'];
        this.#deps.log.write(level, message, { ...fields, runtimeId: member.runtimeId });
        return;
      }
    }
  }

  #lose(runtimeId: string, isDead: boolean): void {
    const joined = this.#joined.get(runtimeId);
    if (joined === undefined) return;
    this.#joined.delete(runtimeId);
    this.#deps.fleet.lose(runtimeId, isDead);
    joined.leavePinned();
    joined.supply.forget();
    joined.target.agent.destroy();
    if (isDead) joined.peer.close({ code: grpcStatus.unavailable, message: 'its process has ended' });
    this.#deps.log.write('warning', 'A Runtime has left', { runtimeId });
  }
}

function answerTo({ member, target }: Joined, listenerMs: number): JoinAnswer {
  return { runtimeId: member.runtimeId, gatewayKey: target.key, reportMs, listenerMs };
}

function readJoin(body: unknown): JoinRequest {
  const reading = joinRequestSchema.safeParse(body);
  if (reading.success) return reading.data;
  const [issue] = reading.error.issues;
  const reason = `${issue?.path.join('.') ?? 'it'}: ${issue?.message ?? 'is wrong'}`;
  throw fleetErrors.create('FLEET_JOIN_INVALID', { reason });
}
