/** What people ask of apps that run: workers of the control plane carry it out. */
import type { Trace, Weight } from '@switchyard/protocol/control-api';
import type { Application, SettingsChange, SettingsState, TrafficState, WriteOutcome } from '../catalog/contract.ts';
import type { Asker } from '../domain/commands.ts';

export interface TrafficRequest {
  readonly weights: readonly Weight[];
  readonly reason: 'traffic' | 'rollback';
  /** Refused with a conflict when the traffic has another revision. */
  readonly revision?: number;
  /** What it is a part of. */
  readonly trace?: Trace;
}

/** Each resolves when what was asked for is in effect, and rejects with the signal's reason when nobody waits any more. */
export interface AppRequests {
  /** @throws PlatformError CHANGE_FAILED, CHANGE_UNDER_WAY */
  shareTraffic(
    application: Pick<Application, 'applicationId' | 'tenantId'>,
    request: TrafficRequest,
    by: Asker,
    signal: AbortSignal,
  ): Promise<WriteOutcome<TrafficState>>;
  /** @throws PlatformError CHANGE_FAILED, CHANGE_UNDER_WAY */
  changeSettings(
    application: Pick<Application, 'applicationId' | 'tenantId'>,
    change: SettingsChange,
    by: Asker,
    signal: AbortSignal,
  ): Promise<WriteOutcome<SettingsState>>;
  /** The app was deleted: nobody wants anything of it any more, unless a manifest does. */
  withdraw(application: Pick<Application, 'applicationId' | 'tenantId'>, by: Asker): Promise<void>;
  /** Writes down who did something that the workers have no part in; the answer is the trace of what follows from it. */
  note(application: Pick<Application, 'applicationId' | 'tenantId'>, action: string, by: Asker): Promise<Trace>;
}
