/** What `deploy` prints: lines for people, or JSON, one object per line. */
import type { FunctionView } from '@switchyard/protocol/control-api';
import type { TextSink } from '../command.ts';
import type { PackedFolder } from '../packing/pack-folder.ts';
import type { DeployedVersion, DeployProgress } from './deploy-app.ts';
import { describeRoutes, urlOf } from './function-routes.ts';
import { count, toSize, toTable } from './table.ts';

export interface DeployOutput {
  packed(app: string, isDerived: boolean, packed: PackedFolder): void;
  progress(progress: DeployProgress): void;
  done(app: string, version: DeployedVersion, isPromoted: boolean): void;
}

export function createTextOutput(stdout: TextSink): DeployOutput {
  const say = (what: string, detail: string): void => {
    stdout.write(`${`  ${what.padEnd(9)} ${detail}`.trimEnd()}\n`);
  };
  return {
    packed(app, isDerived, { fileCount, sizeBytes }) {
      stdout.write(isDerived ? `App '${app}', named after its folder (--app names another)\n` : `App '${app}'\n`);
      say('packed', `${count(fileCount, 'file')}, ${toSize(sizeBytes)}`);
    },
    progress(progress) {
      const [what, detail] = describeProgress(progress);
      say(what, detail);
    },
    done(app, { codeVersion, status }, isPromoted) {
      const fact = isPromoted
        ? `Version ${codeVersion} of '${app}' serves:`
        : `Version ${codeVersion} of '${app}' is ready and has no traffic; give it some: switchyard traffic ${app} ${codeVersion}=PERCENT ...`;
      const rows = describeRoutes(status.functions, status.application.urls[0]);
      const table = rows.length === 0 ? '' : toTable(['FUNCTION', 'TRIGGER', 'WHERE'], rows);
      stdout.write(`${fact}\n${table}`);
    },
  };
}

function describeProgress(progress: DeployProgress): readonly [what: string, detail: string] {
  switch (progress.kind) {
    case 'created':
      return ['created', `the app, of tenant '${progress.tenantId}', for ${progress.stack.runtime}`];
    case 'settings':
      return ['set', count(progress.count, 'setting')];
    case 'uploaded':
      return progress.isNew ? ['uploaded', ''] : ['uploaded', 'before: the same package is there already'];
    case 'started':
      return ['deploying', `version ${progress.codeVersion}`];
    case 'step':
      return [progress.step.name, progress.step.message ?? ''];
    case 'lost':
      return ['...', `the connection was lost (${progress.reason}); trying to get it back`];
  }
}

export function createJsonOutput(stdout: TextSink): DeployOutput {
  const say = (line: Readonly<Record<string, unknown>>): void => {
    stdout.write(`${JSON.stringify(line)}\n`);
  };
  return {
    packed: (app, _isDerived, { sha256, sizeBytes, fileCount, unpackedBytes }) =>
      say({ event: 'packed', app, sha256, sizeBytes, fileCount, unpackedBytes }),
    progress({ kind, ...fields }) {
      say({ event: kind, ...('step' in fields ? fields.step : fields) });
    },
    done(app, { codeVersion, status }, isPromoted) {
      const { functions, application } = status;
      const listed = functions.map((view) => toJson(view, application.urls[0]));
      say({ event: 'deployed', app, codeVersion, promoted: isPromoted, urls: application.urls, functions: listed });
    },
  };
}

function toJson(view: FunctionView, baseUrl: string | undefined): Readonly<Record<string, unknown>> {
  const { name, trigger, disabled, problem, route } = view;
  return { name, trigger, disabled, problem, url: urlOf(view, baseUrl), methods: route?.methods };
}
