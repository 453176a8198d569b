import assert from 'node:assert/strict';
import type { ConformanceCase, Kit } from '../contract.ts';
import { eventually } from '../eventually.ts';

const section = '8 Timer';

interface TimerNote {
  readonly timer: {
    readonly schedule: unknown;
    readonly scheduleStatus: unknown;
    readonly isPastDue: boolean;
  };
}

const first = async (kit: Kit, key: string): Promise<TimerNote['timer'] | undefined> =>
  ((await kit.notes(key))[0] as TimerNote).timer;

/** The status blob of a timer, read and parsed. */
async function statusOf(kit: Kit, name: string): Promise<Record<string, string>> {
  const text = await eventually(`the status of ${name}`, async () => {
    const blobs = await kit.storage.list('azure-webjobs-hosts', 'timers/');
    const path = blobs.find((blob) => blob.endsWith(`/Host.Functions.${name}/status`));
    return path === undefined ? undefined : kit.storage.read('azure-webjobs-hosts', path);
  });
  return JSON.parse(text);
}

const cronCases = ['timer-second', 'timer-span'].map(
  (key): ConformanceCase => ({
    section,
    name: `${key} runs again and again`,
    run: async (kit) => assert.ok((await kit.notes(key, 2)).length >= 2),
  }),
);

const statusCases = ['Last', 'Next', 'LastUpdated'].map(
  (property): ConformanceCase => ({
    section,
    name: `the status of a timer has ${property}`,
    needs: ['storage'],
    run: async (kit) => assert.match((await statusOf(kit, 'timerStart'))[property] ?? '', /^\d{4}-\d\d-\d\dT/),
  }),
);

const manualCases = ['timerStart', 'timerFive', 'timerSetting', 'timerUnwatched'].map(
  (name): ConformanceCase => ({
    section,
    name: `${name} runs when somebody asks for it`,
    needs: ['key'],
    async run(kit) {
      const key = `timer-${name.slice('timer'.length).toLowerCase()}`;
      const before = (await kit.notesSoFar(key)).length;
      const answer = await kit.admin(`/admin/functions/${name}`, { body: { input: '' } });
      assert.equal(answer.status, 202);
      await kit.notes(key, before + 1);
    },
  }),
);

export const timerCases: readonly ConformanceCase[] = [
  ...cronCases,
  ...statusCases,
  ...manualCases,
  {
    section,
    name: 'runOnStartup runs at the start, not past due',
    run: async (kit) => assert.equal((await first(kit, 'timer-start'))?.isPastDue, false),
  },
  {
    section,
    name: 'the function learns of its schedule',
    run: async (kit) => assert.deepEqual((await first(kit, 'timer-second'))?.schedule, { adjustForDST: true }),
  },
  {
    section,
    name: 'schedules of more than one time a minute keep no status',
    run: async (kit) => assert.ok(!(await first(kit, 'timer-second'))?.scheduleStatus),
  },
  {
    section,
    name: 'the next time in the status follows the schedule',
    needs: ['storage'],
    run: async (kit) => assert.match((await statusOf(kit, 'timerStart')).Next ?? '', /^\d{4}-01-01T00:00:00/),
  },
  {
    section,
    name: 'a timer without a monitor has no status',
    needs: ['storage'],
    async run(kit) {
      await statusOf(kit, 'timerStart');
      const blobs = await kit.storage.list('azure-webjobs-hosts', 'timers/');
      assert.deepEqual(
        blobs.filter((blob) => blob.includes('timerUnwatched')),
        [],
      );
    },
  },
  ...[
    ['one host holds the lock of a timer', '/Host.Functions.timerSecond.Listener'],
    ['one host is primary, and holds the lock of that', '/host'],
  ].map(
    ([name = '', ending = '']): ConformanceCase => ({
      section,
      name,
      needs: ['storage'],
      async run(kit) {
        await eventually('the lock', async () => {
          const locks = await kit.storage.list('azure-webjobs-hosts', 'locks/');
          const lock = locks.find((path) => path.endsWith(ending));
          if (lock === undefined) return undefined;
          return (await kit.storage.isLeased('azure-webjobs-hosts', lock)) || undefined;
        });
      },
    }),
  ),
  {
    section,
    name: 'a schedule that is none fails its function alone',
    async run(kit) {
      await kit.notes('timer-second');
      assert.deepEqual(await kit.notesSoFar('timer-bad'), []);
    },
  },
];
