/** What the capability and the thread of the ONNX runtime tell each other. */
import type { TensorData } from './tensor-data.ts';

export interface InferenceRequest {
  readonly path: string;
  readonly sha256: string;
  /** Undefined asks for the description only. */
  readonly feeds: Readonly<Record<string, TensorData>> | undefined;
}

/** An input or output of a model; a text is a dimension of any size. */
export interface ModelPort {
  readonly name: string;
  readonly type: string;
  readonly shape: readonly (number | string)[];
}

export type InferenceAnswer =
  | { readonly kind: 'ran'; readonly outputs: Readonly<Record<string, TensorData>>; readonly runMs: number }
  | { readonly kind: 'described'; readonly inputs: readonly ModelPort[]; readonly outputs: readonly ModelPort[] }
  | { readonly kind: 'damaged'; readonly actual: string }
  | { readonly kind: 'refused'; readonly reason: string };
