/** The debugger that a command line of Node asks for. */
export interface InspectRequest {
  readonly host: string;
  readonly port: number;
  /** The flag without its address: `--inspect`, `--inspect-brk` or `--inspect-wait`. */
  readonly flag: string;
}

export interface InspectArguments {
  /** Undefined when no debugger is asked for. */
  readonly request: InspectRequest | undefined;
  /** The arguments without those of the debugger. */
  readonly others: readonly string[];
}

/** What `--inspect` alone means. */
export const defaultInspect: InspectRequest = { host: '127.0.0.1', port: 9229, flag: '--inspect' };

const inspectPattern = /^--(inspect(?:-brk|-wait)?)(?:=(.*))?$/;
const portPattern = /^--(?:inspect|debug)-port=(.*)$/;

/** Takes the debugger's arguments out of a command line of Node (`node --help`, options of the inspector). */
export function takeInspectArguments(given: readonly string[]): InspectArguments {
  const others: string[] = [];
  let flag: string | undefined;
  let address: string | undefined;
  for (const argument of given) {
    const inspect = inspectPattern.exec(argument);
    const port = portPattern.exec(argument);
    if (inspect !== null) {
      flag = `--${inspect[1]}`;
      address = inspect[2] ?? address;
    } else if (port !== null) address = port[1];
    else others.push(argument);
  }
  return { request: flag === undefined ? undefined : { flag, ...parseAddress(address ?? '') }, others };
}

/** `[host:]port`, `host` or nothing. */
function parseAddress(address: string): { host: string; port: number } {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]*)\]|([^:]*))(?::(\d+))?$/.exec(address) ?? [];
  if (/^\d+$/.test(address)) return { host: defaultInspect.host, port: Number(address) };
  const host = bracketed || plain || defaultInspect.host;
  return { host, port: digits === undefined ? defaultInspect.port : Number(digits) };
}
