import type { HostJson, JsonObject, SettingsView } from '@switchyard/model';

/** What the checks look at: everything that an app's folder tells, read once. */
export interface AppFacts {
  readonly directory: string;
  /** FUNCTIONS_WORKER_RUNTIME, or what the files tell; undefined when nothing does. */
  readonly runtime: string | undefined;
  readonly settings: SettingsView;
  readonly settingNames: readonly string[];
  readonly host: HostJson | undefined;
  readonly hostJson: JsonObject | undefined;
  /** What could not be read at all, with the message that says why. */
  readonly unreadable: readonly { readonly file: string; readonly message: string }[];
  /** Bindings that function.json files declare, or that stand in the sources. */
  readonly bindings: readonly DeclaredBinding[];
  /** Source files by their path below the folder. */
  readonly sources: ReadonlyMap<string, string>;
  /** Names of the files and folders right below the folder. */
  readonly files: readonly string[];
  /** package.json: what it depends on. */
  readonly dependencies: readonly string[];
  /** The types that can be bound here. */
  readonly supported: {
    readonly triggers: readonly string[];
    readonly inputs: readonly string[];
    readonly outputs: readonly string[];
  };
  /** Whether something answers at the storage that the settings name; undefined when they name none that can be asked. */
  readonly storage: { readonly address: string; readonly isReached: boolean } | undefined;
}

export interface DeclaredBinding {
  /** The function, or the file of it. */
  readonly where: string;
  readonly type: string;
  readonly role: 'trigger' | 'input' | 'output';
  /** The setting that `connection` names. */
  readonly connection: string | undefined;
  /** Settings that texts name by `%NAME%`. */
  readonly settingNames: readonly string[];
  readonly raw: JsonObject;
}
