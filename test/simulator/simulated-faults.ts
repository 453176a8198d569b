/** What can befall a simulated world, as data: a new fault is a new entry. */
import { applicationOf } from './simulated-fleet.ts';
import type { SimulatedWorld } from './simulated-world.ts';

export interface SimulatedFault {
  readonly name: string;
  readonly strike: (world: SimulatedWorld) => void;
}

export const simulatedFaults: readonly SimulatedFault[] = [
  {
    name: 'a worker dies',
    strike: ({ chance, fleet }) => {
      const living = fleet.living();
      if (living.length > 0) chance.pick(living).worker.die(137);
    },
  },
  {
    name: 'a worker stops for a while',
    strike: ({ chance, clock, fleet }) => {
      const living = fleet.living();
      if (living.length === 0) return;
      const { link } = chance.pick(living);
      link.pause();
      clock.schedule(chance.between(100, 2_000), () => link.resume());
    },
  },
  {
    name: 'a worker hangs for good',
    strike: ({ chance, fleet }) => {
      const living = fleet.living();
      if (living.length > 0) chance.pick(living).link.pause();
    },
  },
  {
    name: 'the link between a worker and its sidecar is cut',
    strike: ({ chance, fleet }) => {
      const living = fleet.living();
      if (living.length > 0) chance.pick(living).link.cut();
    },
  },
  {
    name: 'the link between a sidecar and the Runtime is cut',
    strike: ({ chance, sidecars }) => {
      const links = sidecars.runtimeLinks();
      if (links.length > 0) chance.pick(links).cut();
    },
  },
  {
    name: 'the link between a sidecar and the Runtime is half dead for a while',
    strike: ({ chance, clock, sidecars }) => {
      const links = sidecars.runtimeLinks();
      if (links.length === 0) return;
      const link = chance.pick(links);
      link.pause();
      clock.schedule(chance.between(100, 2_000), () => link.resume());
    },
  },
  {
    name: 'a worker is taken away',
    strike: ({ chance, fleet, supply }) => {
      const serving = fleet.living().filter(({ worker }) => applicationOf(worker) !== '');
      if (serving.length > 0) supply.release(chance.pick(serving).worker.workerId, 'idle');
    },
  },
  {
    name: 'messages that are worked on are delivered a second time',
    strike: ({ chance, queues }) => chance.pick([...queues.values()]).loseLocks(),
  },
  {
    name: 'a sidecar dies',
    strike: ({ chance, sidecars }) => {
      const living = sidecars.living();
      if (living.length > 0) chance.pick(living).kill();
    },
  },
  {
    name: 'the Runtime dies and is started again',
    strike: (world) => {
      if (!world.process().isAlive) return;
      world.killRuntime();
      world.clock.schedule(world.chance.between(10, 2_000), () => {
        world.events.note('the Runtime starts');
        void world.startRuntime();
      });
    },
  },
];
