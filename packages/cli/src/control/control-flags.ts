/** What every command takes that works with a running platform. */
export const controlFlags = {
  endpoint: {
    kind: 'text',
    placeholder: 'URL',
    summary: 'the control API of the platform (the one that runs on this machine)',
  },
  'token-file': { kind: 'text', placeholder: 'FILE', summary: 'the file that holds the token for --endpoint' },
  'ca-file': { kind: 'text', placeholder: 'FILE', summary: 'trusts these authorities for https:// of --endpoint' },
  'data-dir': { kind: 'text', placeholder: 'FOLDER', summary: "where 'switchyard up' keeps its data (~/.switchyard)" },
  'allow-http': { kind: 'switch', summary: 'sends the token to another machine in clear' },
} as const;

/** Prints for programs. */
export const jsonFlag = { kind: 'switch', summary: 'writes JSON, for programs' } as const;
