import type { AdminCall } from './admin-call.ts';
import type { ListedFunction } from './listed-functions.ts';

/** A function as the official host describes it (FunctionMetadataResponse). */
export function describeFunction(
  { metadata, isDisabled, route }: ListedFunction,
  { url, jobHost }: AdminCall,
): Record<string, unknown> {
  const { name, scriptFile, language, bindings } = metadata;
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
