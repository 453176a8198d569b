/** What the control API asks of the platform: one object, made of the parts that know. */
import type { Admission, Application, Catalog, PlatformOperations, PlatformStatus } from '@switchyard/control-plane';
import { type Clock, logLevels, settlesWithin } from '@switchyard/kernel';
import type { WorkerUsage } from '@switchyard/protocol';
import type {
  ApplicationState,
  FunctionView,
  LogLine,
  RuntimeList,
  TraceFrame,
  WorkerView,
} from '@switchyard/protocol/control-api';
import type { JobHostStatus, Runtime } from '@switchyard/runtime';
import { toPlainText } from '@switchyard/telemetry';
import { standaloneErrors } from '../../errors.ts';
import type { AppLogLine, AppLogs } from '../app-logs.ts';
import type { Deployer } from '../deployer.ts';
import type { TracedFrame, TraceTap } from '../trace-tap.ts';
import type { AppHosting } from '../versions/app-hosting.ts';
import { packageVersionOf } from '../versions/deployed-version.ts';
import type { WorkerProcesses } from '../worker-processes.ts';
import { invokeFunction } from './invoke-function.ts';
import { LiveLines } from './live-lines.ts';

export interface PlatformParts {
  readonly clock: Clock;
  readonly catalog: Catalog;
  readonly runtime: Pick<Runtime, 'status'>;
  readonly hosting: Pick<AppHosting, 'errorOf'>;
  readonly deployer: Pick<Deployer, 'deploy'>;
  readonly logs: AppLogs;
  readonly traces: TraceTap;
  readonly processes: Pick<WorkerProcesses, 'openInspector'>;
  readonly usageOf: (workerId: string) => WorkerUsage | undefined;
  /** Which Runtime serves each worker of an app, by its id; left out where there is one Runtime alone. */
  readonly runtimeIdsOf?: (applicationId: string) => ReadonlyMap<string, string>;
  /** Why an app of this tenant cannot be hosted here; undefined when it can. */
  readonly tenantProblem: (tenantId: string) => string | undefined;
  /** The Runtimes of the installation. */
  readonly runtimes: () => RuntimeList;
  readonly gateway: {
    readonly host: string;
    readonly port: number;
    /** How callers find the apps, where that differs. */
    readonly scheme?: 'http' | 'https';
    readonly outerPort?: number;
  };
}

/** Lines and frames that wait for a slow reader. */
const maxWaiting = 5_000;

/** How long a worker may take to open its inspector. */
const inspectorMs = 5_000;

export function createPlatformOperations(parts: PlatformParts): PlatformOperations {
  const hostsOf = (applicationId: string): readonly JobHostStatus[] => parts.runtime.status(applicationId);
  return {
    admit: (application) => admit(parts, application),
    deploy: (record) => parts.deployer.deploy(record),
    runtimes: () => parts.runtimes(),
    status: (applicationId) => toStatus(parts, applicationId, hostsOf(applicationId)),
    async *logs(applicationId, { follow, tail, level }, signal) {
      const lines = new LiveLines<AppLogLine>(maxWaiting);
      // Following begins first, so that no line is lost between the kept ones and those to come.
      const leave = follow ? parts.logs.follow(applicationId, (line) => lines.add(line)) : () => {};
      const lowest = logLevels.indexOf(level ?? 'trace');
      const isWanted = (line: AppLogLine): boolean => logLevels.indexOf(line.level) >= lowest;
      try {
        const kept = parts.logs.tail(applicationId, tail ?? Number.MAX_SAFE_INTEGER);
        for (const line of kept.filter(isWanted)) yield toLogLine(line);
        if (!follow) return;
        for await (const line of lines.read(signal)) {
          if (!('dropped' in line)) {
            if (isWanted(line)) yield toLogLine(line);
          } else yield missing(parts.clock, line.dropped);
        }
      } finally {
        leave();
      }
    },
    invoke(applicationId, functionName, request, signal) {
      const functions = hostsOf(applicationId).flatMap((host) => host.functions);
      const called = functions.find(({ name }) => name.toLowerCase() === functionName.toLowerCase());
      if (called === undefined) {
        const known = [...new Set(functions.map(({ name }) => name))].join(', ') || 'none';
        throw standaloneErrors.create('FUNCTION_UNKNOWN', { applicationId, functionName, known });
      }
      const master = parts.catalog.keys.list(applicationId).find(({ kind }) => kind === 'master');
      const { host, port } = parts.gateway;
      const target = { applicationId, function: called, host, port, key: master?.value.reveal() };
      return invokeFunction(parts.clock, target, request, signal);
    },
    async *trace(applicationId, { workerId }, signal) {
      const frames = new LiveLines<TracedFrame>(maxWaiting);
      const leave = parts.traces.watch(applicationId, (frame) => {
        if ('dropped' in frame) frames.drop(frame.dropped);
        else if (workerId === undefined || frame.workerId === workerId) frames.add(frame);
      });
      try {
        for await (const frame of frames.read(signal)) yield 'dropped' in frame ? frame : toTraceFrame(frame);
      } finally {
        leave();
      }
    },
    async debug(applicationId, { workerId: wanted }) {
      const workers = hostsOf(applicationId).flatMap((host) => host.workers);
      const found = workers.find((worker) =>
        wanted === undefined ? worker.state === 'ready' : worker.workerId === wanted,
      );
      const opened = found && parts.processes.openInspector(found.workerId);
      if (found === undefined || opened === undefined) {
        const which = wanted === undefined ? '' : ` '${wanted}'`;
        throw standaloneErrors.create('DEBUG_NO_WORKER', { applicationId, which });
      }
      const { workerId } = found;
      if (!(await settlesWithin(parts.clock, inspectorMs, opened))) {
        throw standaloneErrors.create('DEBUG_UNSUPPORTED', { applicationId, workerId, timeoutMs: inspectorMs });
      }
      return { workerId, inspectorUrl: await opened };
    },
  };
}

function admit(
  parts: PlatformParts,
  { applicationId, tenantId }: Pick<Application, 'applicationId' | 'tenantId'>,
): Admission {
  const reason = parts.tenantProblem(tenantId);
  if (reason === undefined) return { kind: 'admitted' };
  return { kind: 'refused', error: standaloneErrors.create('TENANT_REFUSED', { applicationId, tenantId, reason }) };
}

function toStatus(
  { catalog, hosting, usageOf, runtimeIdsOf, gateway }: PlatformParts,
  applicationId: string,
  hosts: readonly JobHostStatus[],
): PlatformStatus {
  const serving = hosts.filter(({ versions }) => versions.some(({ weight }) => weight > 0));
  const names = catalog.applications.get(applicationId)?.hostNames ?? [];
  const { scheme = 'http', outerPort = gateway.port } = gateway;
  const error = hosting.errorOf(applicationId) ?? serving.find((host) => host.error !== undefined)?.error;
  return {
    state: toState(serving.length > 0 ? serving : hosts),
    urls: [`${applicationId}.localhost`, ...names].map((name) => `${scheme}://${name}:${outerPort}`),
    workers: hosts.flatMap((host) => toWorkers(host, { usageOf, runtimeIds: runtimeIdsOf?.(applicationId) })),
    functions: serving.flatMap(toFunctions),
    ...(error === undefined ? {} : { error }),
  };
}

function toState(hosts: readonly JobHostStatus[]): ApplicationState {
  const states = new Set(hosts.map(({ state }) => state));
  for (const state of ['active', 'dormant', 'faulted', 'draining'] as const) if (states.has(state)) return state;
  return hosts.length === 0 ? 'empty' : 'starting';
}

interface KnownOfWorkers extends Pick<PlatformParts, 'usageOf'> {
  readonly runtimeIds: ReadonlyMap<string, string> | undefined;
}

function toWorkers({ versions }: JobHostStatus, { usageOf, runtimeIds }: KnownOfWorkers): WorkerView[] {
  return versions.flatMap(({ definition, workers }) =>
    workers.map(({ workerId, state, inFlight, runtimeName, runtimeVersion }) => ({
      workerId,
      codeVersion: packageVersionOf(definition.codeVersion),
      state,
      inFlight,
      runtimeName,
      runtimeVersion,
      ...toPlace(runtimeIds?.get(workerId)),
      ...toUsage(usageOf(workerId)),
    })),
  );
}

const toPlace = (runtimeId: string | undefined): Pick<WorkerView, 'runtimeId'> =>
  runtimeId === undefined ? {} : { runtimeId };

function toUsage(usage: WorkerUsage | undefined): Pick<WorkerView, 'cpuMs' | 'memoryBytes'> {
  return usage === undefined ? {} : { cpuMs: Math.round(usage.cpuMs), memoryBytes: usage.memoryBytes };
}

function toFunctions({ functions, rejected, unloaded = [] }: JobHostStatus): FunctionView[] {
  const problems = new Map(unloaded.map(({ name, message }) => [name, message]));
  const running = functions.map(({ name, trigger, disabled, route }): FunctionView => {
    const problem = problems.get(name);
    return {
      name,
      trigger,
      disabled,
      ...(route === undefined ? {} : { route: { ...route, methods: [...route.methods] } }),
      ...(problem === undefined ? {} : { problem }),
    };
  });
  const refused = rejected.map(({ name, reason }) => ({ name, trigger: '', disabled: false, problem: reason }));
  return [...running, ...refused];
}

const toTime = (timeMs: number): string => new Date(timeMs).toISOString();

function toLogLine({ timeMs, level, message, fields }: AppLogLine): LogLine {
  const text = (name: string): string | undefined => {
    const value = fields[name];
    return typeof value === 'string' ? value : undefined;
  };
  const known = {
    category: text('category'),
    functionName: text('functionName'),
    invocationId: text('invocationId'),
    workerId: text('workerId'),
    codeVersion: text('codeVersion'),
  };
  const given = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  return { at: toTime(timeMs), level, message: toPlainText({ message, fields }), ...given };
}

function missing(clock: Clock, count: number): LogLine {
  const message = `${count} lines were left out: the reader is too slow`;
  return { at: toTime(clock.now()), level: 'warning', message };
}

function toTraceFrame({ timeMs, workerId, direction, type, id, bytes }: TracedFrame): TraceFrame {
  return {
    at: toTime(timeMs),
    workerId,
    direction: direction === 'to-worker' ? 'toWorker' : 'toRuntime',
    type,
    ...(id === '' ? {} : { id }),
    sizeBytes: bytes,
  };
}
