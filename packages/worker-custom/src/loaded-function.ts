import { BindingInfo_DataType, BindingInfo_Direction, type RpcFunctionMetadata } from '@switchyard/protocol';

/** What the worker remembers of a function. */
export interface LoadedFunction {
  readonly name: string;
  readonly outputs: readonly OutputBinding[];
  /** An HTTP trigger and an HTTP output, and nothing else: its requests can be forwarded as they are. */
  readonly isPlainHttp: boolean;
}

export interface OutputBinding {
  readonly name: string;
  readonly isHttp: boolean;
  /** The app says that the value is text, whatever it looks like. */
  readonly isText: boolean;
}

/** Reads the metadata of a load request. */
export function toLoadedFunction({ name, bindings }: RpcFunctionMetadata): LoadedFunction {
  const all = [...bindings].map(([binding, info]) => ({ ...info, name: binding, type: info.type.toLowerCase() }));
  const inputs = all.filter(({ direction }) => direction !== BindingInfo_Direction.out);
  const outputs = all.filter(({ direction }) => direction !== BindingInfo_Direction.in);
  const [input, ...otherInputs] = inputs;
  const [output, ...otherOutputs] = outputs;
  const isAlone = otherInputs.length === 0 && otherOutputs.length === 0;
  return {
    name,
    outputs: outputs.map((binding) => ({
      name: binding.name,
      isHttp: binding.type === 'http',
      isText: binding.dataType === BindingInfo_DataType.string,
    })),
    isPlainHttp: isAlone && input?.type === 'httptrigger' && output?.type === 'http',
  };
}
