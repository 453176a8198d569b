import type { Clock } from '@switchyard/kernel';
import type { ApplicationDefinition } from '@switchyard/model';
import type { SourceBacklog } from '../decide/signals.ts';
import { type ObservedVersion, type ScaledRuntime, versionKey, type WorkerWish } from '../loop/scaled-runtime.ts';
import { nodeStack } from './fake-provider.ts';

/** One app of a simulated Runtime. */
export interface SimulatedApp {
  readonly definition: ApplicationDefinition;
  tenantId: string;
  weight: number;
  wanted: number;
  ready: number;
  /** Invocations that run or wait. */
  active: number;
  standing: number;
  perWorker: number | undefined;
  more: Partial<ObservedVersion>;
}

/** A Runtime whose workers come after `startMs` and go at once; demand is what a test says. */
export class SimulatedRuntime implements ScaledRuntime {
  readonly apps = new Map<string, SimulatedApp>();
  readonly wishes: { readonly applicationId: string; readonly wish: WorkerWish }[] = [];
  startMs = 50;
  /** How often somebody looked at everything. */
  looks = 0;
  failure: Error | undefined;
  /** What waits outside, by app. */
  readonly sources = new Map<string, readonly SourceBacklog[]>();
  readonly #clock: Clock;
  readonly #quietSince = new Map<SimulatedApp, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(applicationId: string, tenantId = 'contoso', codeVersion = 'c1'): SimulatedApp {
    const definition = { applicationId, metadataVersion: 'm1', codeVersion };
    const app: SimulatedApp = {
      ...{ definition, tenantId, weight: 100, wanted: 0, ready: 0, active: 0, standing: 0 },
      ...{ perWorker: undefined, more: {} },
    };
    this.apps.set(versionKey(definition), app);
    return app;
  }

  wake: (definition: ApplicationDefinition) => void = () => {};

  watchWakes(observer: (definition: ApplicationDefinition) => void): () => void {
    this.wake = observer;
    return () => {
      this.wake = () => {};
    };
  }

  listeningApps(): readonly string[] {
    return [...this.sources.keys()];
  }

  async backlogs(applicationId: string): Promise<readonly SourceBacklog[]> {
    return this.sources.get(applicationId) ?? [];
  }

  load(applicationId?: string): readonly ObservedVersion[] {
    if (this.failure !== undefined) throw this.failure;
    if (applicationId === undefined) this.looks += 1;
    const chosen = [...this.apps.values()].filter((app) =>
      applicationId === undefined ? app.wanted > 0 || app.active > 0 : app.definition.applicationId === applicationId,
    );
    return chosen.map((app) => this.#observe(app));
  }

  scaleTo(definition: ApplicationDefinition, wish: WorkerWish): void {
    const app = this.apps.get(versionKey(definition));
    if (app === undefined) return;
    this.wishes.push({ applicationId: definition.applicationId, wish });
    app.wanted = app.active > 0 ? Math.max(1, wish.count) : wish.count;
    app.perWorker = wish.perWorker;
    app.standing = wish.standing ?? app.standing;
    app.ready = Math.min(app.ready, app.wanted);
    this.#clock.schedule(this.startMs, () => {
      app.ready = app.wanted;
    });
  }

  #observe(app: SimulatedApp): ObservedVersion {
    const nowMs = this.#clock.monotonic();
    if (app.active > 0) this.#quietSince.set(app, nowMs);
    return {
      definition: app.definition,
      tenantId: app.tenantId,
      stack: nodeStack,
      weight: app.weight,
      wantedCount: app.wanted,
      readyCount: app.ready,
      startingCount: Math.max(0, app.wanted - app.ready),
      drainingCount: 0,
      blockedCount: 0,
      heldCount: 0,
      pacedCount: 0,
      waitingCount: 0,
      refusedCount: 0,
      startFailureCount: 0,
      quietMs: nowMs - (this.#quietSince.get(app) ?? nowMs),
      idleMs: 300_000,
      standingCount: 0,
      functions: [
        {
          ...{ name: 'work', activeCount: app.active, startedCount: 0, endedCount: 0, failedCount: 0 },
          ...{ totalMs: 0, durationCounts: [] },
        },
      ],
      workerIds: [],
      ...app.more,
    };
  }
}
