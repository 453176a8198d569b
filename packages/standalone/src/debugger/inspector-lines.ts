import type { Log } from '@switchyard/kernel';

/** What the inspector of a worker prints about its own port, which the debugger's port stands for. */
const inspectorLines = /^(?:Debugger (?:listening|ending) on ws:|For help, see: https:\/\/nodejs\.org\/)/;

/** A log without the lines in which Node names the ports of its inspectors, as long as another port stands for them. */
export function withoutInspectorLines(log: Log, hasPort: () => boolean): Log {
  return {
    write(level, message, fields) {
      if (!hasPort() || !inspectorLines.test(message)) log.write(level, message, fields);
    },
    child: (fields) => withoutInspectorLines(log.child(fields), hasPort),
  };
}
