export {
  weightDtypes,
  type ModelJson,
  type Quantization,
  type StoredWeight,
  type TfjsModel,
  type Topology,
  type WeightDType,
  type WeightGroup,
  type WeightSpec,
} from './model.js';
export { decodeManifest, manifestOf, readWeights } from './decode-manifest.js';
export { decodeModelJson, readModel } from './decode-model.js';
export { encodeManifest, encodeModelJson, type GroupSpec } from './encode-model.js';
export { shardsOf } from './shard-paths.js';
export {
  writeModel,
  writeWeights,
  type WritableWeight,
  type WriteModelOptions,
} from './write-model.js';
