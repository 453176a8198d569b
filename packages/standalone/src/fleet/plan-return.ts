import { type FleetApp, homesOf } from './fleet-app.ts';

/** What is to be done so that an app comes back to where it was before the controller was started anew. */
export type ReturnPlan =
  | { readonly kind: 'waits' }
  /** There is nothing to come back to any more: where the app is, it stays. */
  | { readonly kind: 'over' }
  | { readonly kind: 'enter'; readonly runtimeId: string }
  /** It is served there again, and leaves where it was meanwhile. */
  | { readonly kind: 'settle'; readonly runtimeId: string; readonly leave: readonly string[] };

/** Pure. `mayBe` says whether the app may be on a Runtime that is there. */
export function planReturn(app: FleetApp, mayBe: (runtimeId: string) => boolean, nowMs: number): ReturnPlan {
  const [home] = app.remembered;
  const homes = homesOf(app);
  if (home === undefined || homes[0] === home) return { kind: 'over' };
  if (!mayBe(home)) return nowMs >= app.rememberedUntilMs ? { kind: 'over' } : { kind: 'waits' };
  const stay = app.stays.get(home);
  if (stay === undefined) return { kind: 'enter', runtimeId: home };
  if (stay.state !== 'serving') return { kind: 'waits' };
  return { kind: 'settle', runtimeId: home, leave: homes.filter((id) => !app.remembered.includes(id)) };
}
