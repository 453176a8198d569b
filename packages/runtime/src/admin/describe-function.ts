import type { FunctionMetadata } from '@switchyard/model';
import type { AdminCall } from './admin-call.ts';

/** A function as the official host describes it (FunctionMetadataResponse). `route` is that of an HTTP function, without its prefix. */
export function describeFunction(
  { name, scriptFile, language, bindings }: FunctionMetadata,
  { isDisabled, route }: { readonly isDisabled: boolean; readonly route: string | undefined },
  { url, jobHost }: AdminCall,
): Record<string, unknown> {
  const base = new URL('/', url).href;
  const files = `${base}admin/vfs/${name}/`;
  const { routePrefix } = jobHost.application.host.extensions.http;
  const path = route?.replace(/^\/$/, '');
  return {
    name,
    script_root_path_href: files,
    script_href: scriptFile === '' ? null : `${base}admin/vfs/${scriptFile}`,
    config_href: `${files}function.json`,
    test_data_href: `${base}admin/vfs/data/functions/sampledata/${name}.dat`,
    href: `${base}admin/functions/${name}`,
    invoke_url_template: path === undefined ? null : `${base}${[routePrefix, path].filter(Boolean).join('/')}`,
    language,
    config: { name, scriptFile, bindings: bindings.map(({ raw }) => raw) },
    files: null,
    test_data: '',
    isDisabled,
    isDirect: true,
    isProxy: false,
  };
}
