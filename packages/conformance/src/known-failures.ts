/**
 * A conversion of a fixture model that is known to fail, and how. Whoever makes it pass takes it
 * out: an unexpected pass fails.
 */
export interface KnownFailure {
  /** Folder and file of the fixture. */
  readonly model: string;
  /**
   * Formats in turn: `tfjs`, or `tfjs+onnx` for there and back; `tfjs again` for the second write.
   */
  readonly chain: string;
  /** The diagnostic, or `differs`. */
  readonly code: string;
  readonly reason: string;
}

const refused = (chain: string, reason: string, ...models: readonly string[]): KnownFailure[] =>
  models.map((model) => ({ model, chain, code: 'core/not-convertible', reason }));

/** The known failures: each is refused with its reason, and none computes something else. */
export const knownFailures: readonly KnownFailure[] = [
  ...refused(
    'mxnet',
    'MXNet states pads as numbers, and these images have no size before the model runs.',
    'tf-mobilenet_v2/tfjs/model.json',
    'tf-mobilenet_v2/tfjs_fp16/model.json',
    'tf-mobilenet_v2/tfjs_u8/model.json',
    'tf-mobilenet_v2/tfjs_u16/model.json',
    'tf-mobilenet_v2/tfjs_sharded/model.json',
    'tf-unet/tfjs/model.json',
    'tf-unet/tfjs_fp16/model.json',
  ),
  ...refused(
    'tfjs+mxnet',
    'Lengths of sequences are loops with masks in TF.js, and MXNet has no loop whose number of trips depends on data.',
    'mxnet-gru/model-symbol.json',
  ),
  ...refused(
    'tfjs+mxnet',
    'What a transposed convolution cuts off follows here from a size that TF.js does not state, and MXNet states it as a number.',
    'mxnet-segmenter/model-symbol.json',
  ),
];
