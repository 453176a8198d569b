/** Azure Resource Manager, for tests: changes are operations that are over only after some looks. */
import { type AzureReply, type AzureRequest, problem, ScriptedAzure } from './scripted-azure.ts';

export interface ArmRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
}

export interface ArmAnswer {
  readonly status: number;
  readonly body?: unknown;
  /** The change goes on: the caller is to look at an operation until it is over. */
  readonly isOperation?: boolean;
}

/** One kind of resources: what it answers, or undefined where a path is none of its own. */
export type ArmProvider = (request: ArmRequest) => ArmAnswer | undefined;

/** How often an operation is looked at before it is over. */
const looksPerOperation = 2;

export class ScriptedArm extends ScriptedAzure {
  override readonly token = 'a-token-of-azure';
  /** What every request is answered with instead, while it is set. */
  refusal: { readonly status: number; readonly code: string } | undefined;
  /** Operations end so, once. */
  failingOperation: { readonly code: string; readonly message: string } | undefined;
  readonly #providers: readonly ArmProvider[];
  readonly #operations = new Map<string, number>();
  #operationCount = 0;

  constructor(providers: readonly ArmProvider[], tls: { readonly certificate: string; readonly key: string }) {
    super(tls);
    this.#providers = providers;
  }

  protected override answer({ method, path, query, text }: AzureRequest): AzureReply {
    if (this.refusal !== undefined) return { status: this.refusal.status, body: problem(this.refusal.code) };
    if (path.startsWith('/operations/')) return { status: 200, body: this.#operation(path) };
    const body: unknown = text === '' ? undefined : JSON.parse(text);
    const request = { method, path: decodeURIComponent(path), query, body };
    const [answer] = this.#providers.flatMap((provider) => provider(request) ?? []);
    if (answer === undefined) return { status: 404, body: problem('ResourceNotFound') };
    if (answer.isOperation !== true) return { status: answer.status, body: answer.body };
    this.#operationCount += 1;
    const id = `/operations/${this.#operationCount}`;
    this.#operations.set(id, looksPerOperation);
    const follow = { 'azure-asyncoperation': `${this.url}${id}`, location: `${this.url}${id}` };
    return { status: answer.status, body: answer.body, headers: follow };
  }

  #operation(id: string): object {
    const left = this.#operations.get(id) ?? 0;
    this.#operations.set(id, left - 1);
    if (left > 0) return { status: 'InProgress' };
    const error = this.failingOperation;
    this.failingOperation = undefined;
    return error === undefined ? { status: 'Succeeded' } : { status: 'Failed', error };
  }
}
