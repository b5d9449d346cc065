import * as v from 'valibot';

const text = v.string();
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const measured = v.nullable(v.number());

const diagnostic = v.object({
  code: v.pipe(text, v.regex(/^[a-z]+\/[a-z-]+$/)),
  severity: v.picklist(['error', 'warning', 'info']),
  message: v.pipe(text, v.minLength(1)),
  reason: v.pipe(v.optional(text), v.description('Why, without the place that the message names.')),
  help: v.pipe(text, v.minLength(1)),
  origin: v.object({
    file: text,
    node: v.optional(text),
    op: v.optional(text),
    offset: v.optional(count),
    pointer: v.optional(text),
  }),
});

const common = {
  drover: v.pipe(text, v.description('Version of drover.')),
  diagnostics: v.array(diagnostic),
};

/** A dimension is a number, its name, or null. */
const declared = v.object({
  name: text,
  dtype: text,
  shape: v.nullable(v.array(v.nullable(v.union([count, text])))),
});
const concrete = v.object({ name: text, dtype: text, shape: v.array(count) });

const axis = count;
const sizes = v.array(count);
const step = v.variant('kind', [
  v.object({ kind: v.literal('transpose'), perm: v.array(axis) }),
  v.object({ kind: v.literal('reshape'), shape: sizes }),
  v.pipe(
    v.object({ kind: v.literal('slice'), axis, start: count, size: count }),
    v.description('`size` slices from `start` on.'),
  ),
  v.object({ kind: v.literal('reverse'), axis }),
  v.pipe(
    v.object({ kind: v.literal('place'), axis, start: count, size: count }),
    v.description('Stands from `start` on in a tensor of `size` along the axis.'),
  ),
  v.object({ kind: v.literal('cast'), dtype: text }),
  v.pipe(
    v.object({
      kind: v.literal('affine'),
      dtype: text,
      scale: v.number(),
      offset: v.number(),
    }),
    v.description('Codes q stand for q * scale + offset.'),
  ),
  v.pipe(
    v.object({
      kind: v.literal('computed'),
      op: text,
      from: v.array(text),
      dtype: text,
      shape: sizes,
    }),
    v.description('Folded: an operator made it of all stored tensors that are named.'),
  ),
]);
const transform = v.pipe(
  v.object({ dtype: text, shape: sizes, steps: v.array(step) }),
  v.description('Type and shape of the tensor in the source, and the steps to the target.'),
);

const file = v.object({
  path: text,
  bytes: count,
  sha256: v.pipe(text, v.regex(/^[0-9a-f]{64}$/)),
});

/** What --tensor-map takes, and `convert` and `weights` print. */
export const tensorMap = v.object({
  tensors: v.array(v.object({ source: text, target: text, transform })),
});

const verdict = v.picklist(['agree', 'near-tie', 'suspicious', 'undecided', 'differ']);

const comparison = {
  verdict: v.pipe(verdict, v.description('The worst of the outputs and of what no run reached.')),
  outputs: v.array(
    v.object({
      name: text,
      maxAbs: measured,
      maxRel: measured,
      maxUlp: measured,
      error: v.pipe(measured, v.description('Of the second model against the float64 reference.')),
      sourceError: v.pipe(measured, v.description('Of the first model, in its own runtime.')),
      expectedError: v.pipe(measured, v.description('What rounding does to the output.')),
      tolerance: v.pipe(measured, v.description('Largest error that agrees.')),
      bound: v.pipe(measured, v.description('Largest error that is suspicious.')),
      operators: v.pipe(
        v.record(text, v.number()),
        v.description('Shares of the operators in the expected error.'),
      ),
      verdict,
      agree: v.boolean(),
      asQuantised: v.pipe(
        v.boolean(),
        v.description('Agrees because a model stores its weights more coarsely.'),
      ),
      reason: v.pipe(v.nullable(text), v.description('Why the output does not agree.')),
      pairedWith: v.pipe(
        v.nullable(
          v.object({
            name: text,
            by: v.picklist(['map', 'name', 'origin', 'shape', 'value', 'place']),
          }),
        ),
        v.description('The output of the second model, and how it was found.'),
      ),
    }),
  ),
  coverage: v.object({
    tables: v.pipe(
      v.array(
        v.object({
          node: text,
          rows: count,
          reachable: count,
          read: count,
          isHeld: v.boolean(),
        }),
      ),
      v.description(
        'Lookup tables with rows that no run read, how many an index may name at all, and whether those are the second model’s.',
      ),
    ),
    bodies: v.pipe(
      v.array(v.object({ node: text, body: text, isHeld: v.boolean() })),
      v.description(
        'Bodies, such as branches, that no run entered, and whether the second model stores their weights.',
      ),
    ),
    units: v.pipe(
      v.object({ all: count, dead: count }),
      v.description(
        'Channels of activations behind convolutions and dense layers, and those that were zero in all that the reference evaluated.',
      ),
    ),
    idle: v.pipe(v.array(text), v.description('Inputs that no output moves with.')),
  }),
  firstDivergence: v.nullable(
    v.object({
      left: v.object({ value: text, node: text, op: text }),
      right: v.object({ value: text, node: text, op: text }),
      maxAbs: v.number(),
      maxRel: v.number(),
      suspects: v.array(text),
    }),
  ),
  inputs: v.array(concrete),
  seed: v.pipe(v.nullable(count), v.description('Null when the inputs were given.')),
  runs: count,
  runtimes: v.array(text),
};

/**
 * What each command prints with --json, as Valibot schemas. `schema/NAME.json` in the package holds
 * the same as JSON Schema.
 */
export const documents = {
  /** A command that failed: its diagnostics tell why. */
  failure: v.object({
    drover: common.drover,
    diagnostics: v.pipe(common.diagnostics, v.minLength(1)),
  }),
  convert: v.object({
    ...common,
    from: text,
    to: text,
    files: v.array(file),
    ...tensorMap.entries,
    unmapped: v.pipe(
      v.array(text),
      v.description('Parameters and buffers of the source that no tensor of the target holds.'),
    ),
    seconds: v.number(),
    peakBytes: count,
    parity: v.pipe(v.optional(v.object(comparison)), v.description('With --verify.')),
  }),
  weights: v.object({
    ...common,
    from: text,
    to: text,
    files: v.array(file),
    ...tensorMap.entries,
  }),
  tensors: v.object({
    ...common,
    format: text,
    tensors: v.array(
      v.object({
        name: text,
        dtype: text,
        shape: sizes,
        bytes: count,
        role: v.picklist(['parameter', 'buffer', 'constant', 'optimizer']),
        aliases: v.pipe(v.array(text), v.description('Further names of the same tensor.')),
        statistics: v.pipe(
          v.optional(
            v.object({
              least: measured,
              greatest: measured,
              mean: measured,
              deviation: measured,
              zeros: count,
              nan: count,
              infinite: count,
            }),
          ),
          v.description('With --statistics: of the finite elements, null where there are none.'),
        ),
      }),
    ),
    metadata: v.pipe(v.record(text, text), v.description('Texts that stand beside the tensors.')),
  }),
  inspect: v.object({
    ...common,
    format: text,
    versions: v.record(text, text),
    producer: text,
    entries: v.pipe(
      v.array(v.object({ name: text, inputs: v.array(declared), outputs: v.array(declared) })),
      v.description('Every graph of the model; --entry names one.'),
    ),
    inputs: v.array(declared),
    outputs: v.array(declared),
    parameters: count,
    bytes: count,
    ops: v.record(text, count),
    targets: v.record(
      text,
      v.object({ ok: v.boolean(), gaps: v.array(v.object({ op: text, count, reason: text })) }),
    ),
  }),
  run: v.object({ ...common, runtime: text, outputs: v.array(concrete), seconds: v.number() }),
  parity: v.object({
    ...common,
    ...comparison,
    hashes: v.record(text, v.pipe(text, v.regex(/^[0-9a-f]{64}$/))),
  }),
  explain: v.object({
    ...common,
    code: text,
    failure: v.picklist(['usage', 'io', 'unsupported', 'malformed', 'limit', 'note']),
    severity: diagnostic.entries.severity,
    summary: text,
    help: text,
  }),
} as const;
