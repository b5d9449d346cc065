export {
  containerOf,
  readKerasFile,
  shardsOf,
  type KerasContainer,
  type KerasFile,
} from './keras-file.js';
export { type KerasWeight, type KerasWeights, type WeightGroup } from './weights.js';
export { openHdf5, type Hdf5Dataset, type Hdf5File, type Hdf5Link } from './hdf5/hdf5-file.js';
export type { Hdf5Description } from './hdf5/module.js';
export {
  encodeHdf5,
  type NewAttributes,
  type NewDataset,
  type NewGroup,
} from './hdf5/write-hdf5.js';
