import {
  appendFileSync,
  copyFileSync,
  linkSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { contents, copyOf, scratch } from '../testing/fixture.js';
import { drover } from '../testing/in-process.js';

interface Broken {
  /** What is wrong. */
  readonly what: string;
  readonly fixture: string;
  /** Breaks a copy of the fixture; `path` is its main file. */
  spoil(path: string): void;
  readonly code: string;
  readonly exit: number;
  /** Part of the message. */
  readonly says: RegExp;
}

/** Puts one byte string for another of the same length, wherever it stands. */
function replaceBytes(path: string, from: string, to: string): void {
  const text = readFileSync(path).toString('latin1');
  if (from.length !== to.length || !text.includes(from))
    throw new Error(`${from} cannot be replaced in ${path}`);
  writeFileSync(path, Buffer.from(text.replaceAll(from, to), 'latin1'));
}

function editJson(path: string, edit: (json: never) => void): void {
  const json = JSON.parse(readFileSync(path, 'utf8')) as never;
  edit(json);
  writeFileSync(path, JSON.stringify(json));
}

const beside = (path: string, name: string) => join(dirname(path), name);
const cutShort = (path: string, bytes: number) =>
  truncateSync(path, readFileSync(path).length - bytes);

const onnx: readonly Broken[] = [
  {
    what: 'a truncated file',
    fixture: 'torch-unet/ts_op11.onnx',
    spoil: (path) => cutShort(path, 1000),
    code: 'protobuf/wire',
    exit: 4,
    says: /./,
  },
  {
    what: 'missing weights',
    fixture: 'torch-bert/dynamo_op18_external.onnx',
    spoil: (path) => rmSync(`${path}.data`),
    code: 'core/missing-file',
    exit: 2,
    says: /dynamo_op18_external\.onnx\.data/,
  },
  {
    what: 'weights of a wrong size',
    fixture: 'torch-bert/dynamo_op18_external.onnx',
    spoil: (path) => cutShort(`${path}.data`, 1),
    code: 'core/range',
    exit: 4,
    says: /./,
  },
  {
    what: 'an unknown operator',
    fixture: 'torch-unet/ts_op11.onnx',
    spoil: (path) => replaceBytes(path, 'LeakyRelu', 'LeakyFrob'),
    code: 'core/foreign-op',
    exit: 3,
    says: /LeakyFrob/,
  },
  {
    what: 'a path that leaves the folder',
    fixture: 'torch-bert/dynamo_op18_external.onnx',
    spoil: (path) =>
      replaceBytes(path, 'dynamo_op18_external.onnx.data', '../amo_op18_external.onnx.data'),
    code: 'core/path',
    exit: 4,
    says: /\.\.\/amo_op18/,
  },
];

interface TfjsJson {
  readonly weightsManifest: {
    readonly paths: string[];
    readonly weights: { readonly shape: number[] }[];
  }[];
  readonly modelTopology: { readonly node: { name: string; op: string }[] };
}

const tfjs: readonly Broken[] = [
  {
    what: 'a truncated file',
    fixture: 'tf-unet/tfjs/model.json',
    spoil: (path) => cutShort(path, 1000),
    code: 'core/json',
    exit: 4,
    says: /./,
  },
  {
    what: 'missing weights',
    fixture: 'tf-unet/tfjs/model.json',
    spoil: (path) => rmSync(beside(path, 'group1-shard1of1.bin')),
    code: 'core/missing-file',
    exit: 2,
    says: /group1-shard1of1\.bin/,
  },
  {
    what: 'weights of a wrong size',
    fixture: 'tf-unet/tfjs/model.json',
    spoil: (path) => cutShort(beside(path, 'group1-shard1of1.bin'), 1),
    code: 'tfjs/weights',
    exit: 4,
    says: /./,
  },
  {
    what: 'an unknown operator',
    fixture: 'tf-unet/tfjs/model.json',
    spoil: (path) =>
      editJson(
        path,
        (json: TfjsJson) =>
          (json.modelTopology.node.find(({ op }) => op === 'MaxPool')!.op = 'MaxFrob'),
      ),
    code: 'core/foreign-op',
    exit: 3,
    says: /MaxFrob/,
  },
  {
    what: 'a path that leaves the folder',
    fixture: 'tf-unet/tfjs/model.json',
    spoil: (path) =>
      editJson(
        path,
        (json: TfjsJson) => (json.weightsManifest[0]!.paths[0] = '../group1-shard1of1.bin'),
      ),
    code: 'core/path',
    exit: 4,
    says: /\.\.\/group1-shard1of1\.bin/,
  },
];

interface SymbolJson {
  readonly nodes: { op: string }[];
}

const mxnet: readonly Broken[] = [
  {
    what: 'a truncated file',
    fixture: 'mxnet-lenet/model-symbol.json',
    spoil: (path) => cutShort(path, 1000),
    code: 'core/json',
    exit: 4,
    says: /./,
  },
  {
    what: 'missing weights',
    fixture: 'mxnet-lenet/model-symbol.json',
    spoil: (path) => rmSync(beside(path, 'model-0000.params')),
    code: 'core/missing-file',
    exit: 2,
    says: /conv1_weight/,
  },
  {
    what: 'weights of a wrong size',
    fixture: 'mxnet-lenet/model-symbol.json',
    spoil: (path) => cutShort(beside(path, 'model-0000.params'), 100),
    code: 'core/range',
    exit: 4,
    says: /./,
  },
  {
    what: 'an unknown operator',
    fixture: 'mxnet-lenet/model-symbol.json',
    spoil: (path) =>
      editJson(
        path,
        (json: SymbolJson) => (json.nodes.find(({ op }) => op === 'Pooling')!.op = 'Frobbing'),
      ),
    code: 'core/foreign-op',
    exit: 3,
    says: /Frobbing/,
  },
  {
    // Symbol files name no other file: the weights are found by their name, which may be a link.
    what: 'a path that leaves the folder',
    fixture: 'mxnet-lenet/model-symbol.json',
    spoil: (path) => {
      const elsewhere = join(scratch(), 'elsewhere.params');
      const params = beside(path, 'model-0000.params');
      linkSync(params, elsewhere);
      rmSync(params);
      symlinkSync(elsewhere, params);
    },
    code: 'core/path',
    exit: 4,
    says: /model-0000\.params/,
  },
];

const whole = '../checkpoints/safetensors-every_dtype/model.safetensors';
const sharded = '../checkpoints/safetensors-sharded/model.safetensors.index.json';
const shard = 'model-00002-of-00003.safetensors';

interface IndexJson {
  readonly weight_map: Record<string, string>;
}

/** Writes the size of a header. */
function resize(path: string, size: bigint): void {
  const bytes = readFileSync(path);
  bytes.writeBigUInt64LE(size);
  writeFileSync(path, bytes);
}

const safetensors: readonly Broken[] = [
  {
    what: 'a truncated file',
    fixture: whole,
    spoil: (path) => cutShort(path, 1),
    code: 'core/range',
    exit: 4,
    says: /bool ends at/,
  },
  {
    what: 'bytes that belong to no tensor',
    fixture: whole,
    spoil: (path) => appendFileSync(path, 'x'),
    code: 'safetensors/offsets',
    exit: 4,
    says: /1 bytes follow/,
  },
  {
    what: 'a header that is too long',
    fixture: whole,
    spoil: (path) => resize(path, 100_000_001n),
    code: 'safetensors/header',
    exit: 4,
    says: /100000001/,
  },
  {
    what: 'a header beyond the limit',
    fixture: whole,
    spoil: (path) => resize(path, 90_000_000n),
    code: 'core/limit',
    exit: 4,
    says: /maxHeaderBytes/,
  },
  {
    what: 'a name twice',
    fixture: whole,
    spoil: (path) => replaceBytes(path, '"uint64"', '"int64" '),
    code: 'core/duplicate',
    exit: 4,
    says: /"int64"/,
  },
  {
    what: 'a type of another size',
    fixture: whole,
    spoil: (path) => replaceBytes(path, '"BF16"', '"BOOL"'),
    code: 'safetensors/offsets',
    exit: 4,
    says: /bfloat16/,
  },
  {
    what: 'an unknown type',
    fixture: whole,
    spoil: (path) => replaceBytes(path, '"BF16"', '"BF17"'),
    code: 'safetensors/dtype',
    exit: 3,
    says: /bfloat16 is BF17/,
  },
  {
    what: 'a missing shard',
    fixture: sharded,
    spoil: (path) => rmSync(beside(path, shard)),
    code: 'core/missing-file',
    exit: 2,
    says: /model-00002-of-00003/,
  },
  {
    what: 'a tensor that is in another shard',
    fixture: sharded,
    spoil: (path) =>
      editJson(path, ({ weight_map }: IndexJson) => (weight_map['embed.weight'] = shard)),
    code: 'safetensors/shard',
    exit: 4,
    says: /embed\.weight is not in/,
  },
  {
    what: 'a path that leaves the folder',
    fixture: sharded,
    spoil: (path) =>
      editJson(path, ({ weight_map }: IndexJson) => (weight_map['embed.weight'] = `../${shard}`)),
    code: 'core/path',
    exit: 4,
    says: /\.\.\/model-00002/,
  },
  {
    what: 'a shard behind a link out of the folder',
    fixture: sharded,
    spoil: (path) => {
      const elsewhere = join(scratch(), 'elsewhere.safetensors');
      copyFileSync(beside(path, shard), elsewhere);
      rmSync(beside(path, shard));
      symlinkSync(elsewhere, beside(path, shard));
    },
    code: 'core/path',
    exit: 4,
    says: /model-00002-of-00003/,
  },
];

const bundle = '../checkpoints/tensorflow-every_dtype/model.ckpt.index';
const training = '../checkpoints/tensorflow-training/ckpt-1.index';
const partitioned = '../checkpoints/tensorflow-partitioned/model.ckpt.index';
const weights = (path: string) => `${path.replace(/index$/, '')}data-00000-of-00001`;

/** Turns one bit, counted in bytes from the end of a file where it is negative. */
function flipBit(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at < 0 ? bytes.length + at : at]! ^= 1;
  writeFileSync(path, bytes);
}

const tensorflow: readonly Broken[] = [
  {
    what: 'a bit of the index turned',
    fixture: bundle,
    spoil: (path) => flipBit(path, 40),
    code: 'tensorflow/checksum',
    exit: 4,
    says: /block of the table/,
  },
  {
    what: 'an index beyond the file',
    fixture: bundle,
    spoil: (path) => flipBit(path, -47),
    code: 'tensorflow/table',
    exit: 4,
    says: /./,
  },
  {
    what: 'a bit of a tensor turned',
    fixture: training,
    spoil: (path) => flipBit(weights(path), 0),
    code: 'tensorflow/checksum',
    exit: 4,
    says: /does not have its CRC/,
  },
  {
    what: 'weights that are cut short',
    fixture: training,
    spoil: (path) => cutShort(weights(path), 1),
    code: 'core/range',
    exit: 4,
    says: /lie outside/,
  },
  {
    what: 'the weights of another checkpoint',
    fixture: training,
    spoil: (path) => writeFileSync(weights(path), readFileSync(weights(path)).fill(7)),
    code: 'tensorflow/checksum',
    exit: 4,
    says: /CRC/,
  },
  {
    what: 'a missing weight file',
    fixture: partitioned,
    spoil: (path) => rmSync(beside(path, 'model.ckpt.data-00001-of-00002')),
    code: 'core/missing-file',
    exit: 2,
    says: /data-00001-of-00002/,
  },
  {
    what: 'an index under another name than its weights',
    fixture: training,
    spoil: (path) => {
      copyFileSync(weights(path), beside(path, 'ckpt-2.data-00000-of-00001'));
      rmSync(weights(path));
    },
    code: 'core/missing-file',
    exit: 2,
    says: /ckpt-1\.data-00000-of-00001/,
  },
  {
    what: 'weights behind a link out of the folder',
    fixture: training,
    spoil: (path) => {
      const elsewhere = join(scratch(), 'elsewhere');
      copyFileSync(weights(path), elsewhere);
      rmSync(weights(path));
      symlinkSync(elsewhere, weights(path));
    },
    code: 'core/path',
    exit: 4,
    says: /ckpt-1\.data/,
  },
  {
    what: 'a latest checkpoint outside the folder',
    fixture: training,
    spoil: (path) => writeFileSync(path, 'model_checkpoint_path: "../ckpt-1"\n'),
    code: 'core/path',
    exit: 4,
    says: /\.\.\/ckpt-1/,
  },
];

const archive = '../checkpoints/keras-v3_archive/model.keras';
const legacy = '../checkpoints/keras-v1_h5/model.h5';
const shards = '../checkpoints/keras-v3_sharded/model.weights.json';

const keras: readonly Broken[] = [
  {
    what: 'a truncated file',
    fixture: legacy,
    spoil: (path) => cutShort(path, 1),
    code: 'keras/hdf5',
    exit: 4,
    says: /truncated/,
  },
  {
    what: 'an archive that is cut short',
    fixture: archive,
    spoil: (path) => cutShort(path, 30),
    code: 'zip/format',
    exit: 4,
    says: /./,
  },
  {
    what: 'HDF5 that is no Keras file',
    fixture: legacy,
    spoil: (path) => replaceBytes(path, 'layer_names', 'other_names'),
    code: 'keras/not-keras',
    exit: 4,
    says: /no weights as Keras writes them/,
  },
  {
    what: 'a missing shard',
    fixture: shards,
    spoil: (path) => rmSync(beside(path, 'model_00001.weights.h5')),
    code: 'core/missing-file',
    exit: 2,
    says: /model_00001/,
  },
  {
    what: 'a path that leaves the folder',
    fixture: shards,
    spoil: (path) => replaceBytes(path, '"model_00001', '"../el_00001'),
    code: 'core/path',
    exit: 4,
    says: /\.\.\/el_00001/,
  },
];

describe.each([
  ['onnx', onnx, 'model.json'],
  ['tfjs', tfjs, 'model.onnx'],
  ['mxnet', mxnet, 'model.onnx'],
  ['safetensors', safetensors, 'model.safetensors'],
  ['tensorflow', tensorflow, 'model.safetensors'],
  ['keras', keras, 'model.safetensors'],
] as const)('converting from %s', (_, cases, out) => {
  it.each(cases.map((each) => [each.what, each] as const))(
    '%s is told with its code, and nothing is written',
    async (_what, { fixture, spoil, code, exit, says }) => {
      const path = copyOf(fixture);
      spoil(path);
      const folder = scratch();
      const before = contents(folder);

      const ran = await drover('convert', path, join(folder, out), '--json');

      const { diagnostics } = JSON.parse(ran.stdout) as {
        readonly diagnostics: readonly {
          code: string;
          severity: string;
          message: string;
          help: string;
        }[];
      };
      const error = diagnostics.find(({ severity }) => severity === 'error')!;
      expect({ code: error.code, exit: ran.code }).toEqual({ code, exit });
      expect(error.message).toMatch(says);
      expect(error.help).not.toBe('');
      expect(contents(folder)).toEqual(before);
    },
  );
});
