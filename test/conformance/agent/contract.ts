/**
 * What a case of the kit for node agents is. A case knows the job protocol, version 1 (docs/protocols), and reaches the
 * agent over HTTP alone; it knows nothing of Switchyard. Any agent can be tested, in whatever language it is written.
 */

export interface AgentCase {
  /** The part of the protocol: `GET /info`, `Execution`. */
  readonly section: string;
  readonly name: string;
  /** True for what Switchyard adds to version 1: an agent of another maker may do without. */
  readonly isAddition?: boolean;
  /** Fills all places of the agent, so it runs alone. */
  readonly isDisruptive?: boolean;
  /** Rejects when the agent behaves otherwise. */
  readonly run: (agent: AgentUnderTest) => Promise<void>;
}

export interface AgentAnswer {
  readonly status: number;
  readonly type: string;
  readonly text: string;
  /** The body as JSON; undefined when it is none. */
  readonly json: Readonly<Record<string, unknown>> | undefined;
}

/** A record as far as version 1 names it. */
export interface JobRecordView {
  readonly job_id: string;
  readonly state: string;
  readonly created_at: string | null;
  readonly started_at: string | null;
  readonly finished_at: string | null;
  readonly exit_code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

export interface JobBody {
  readonly protocol_version?: unknown;
  readonly job_id?: unknown;
  readonly task?: unknown;
  readonly runtime?: unknown;
  readonly [addition: string]: unknown;
}

/** The agent, as cases see it. */
export interface AgentUnderTest {
  call(path: string, options?: { readonly method?: string; readonly body?: string }): Promise<AgentAnswer>;
  /** A job with an id that nobody had, which runs a line of shell. */
  job(script: string, runtime?: Readonly<Record<string, unknown>>): JobBody & { readonly job_id: string };
  post(body: unknown): Promise<AgentAnswer>;
  /** Submits a job that must be accepted with 202. */
  submit(body: JobBody): Promise<void>;
  look(jobId: string): Promise<JobRecordView>;
  /** Looks a job up until its record fits. Rejects when it does not in time. */
  until(jobId: string, fits: (record: JobRecordView) => boolean): Promise<JobRecordView>;
  /** The record of a job that has ended. */
  ended(jobId: string): Promise<JobRecordView>;
  /** Submits a job and waits for its end. */
  run(body: JobBody & { readonly job_id: string }): Promise<JobRecordView>;
  cancel(jobId: string): Promise<AgentAnswer>;
}
