import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import {
  bitsOf,
  ConversionError,
  dtypes,
  openCheckpoint,
  Report,
  tensor,
  TensorStore,
  Weight,
  writeCheckpoint,
  type Checkpoint,
} from '@drover/core';
import { openFile, outputFolder } from '@drover/node';
import { editStore } from '@drover/weights';
import {
  checkpointForms,
  loadedBy,
  savedBy,
  type CheckpointForm,
  type Loaded,
  type TensorFacts,
} from './checkpoint-forms.js';
import { checkpointsPage, type VerifiedForm, type VerifiedRow } from './checkpoints-page.js';

const page = new URL('../../../docs/checkpoints.md', import.meta.url);

const root = mkdtempSync(join(tmpdir(), 'drover-checkpoints-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

let folders = 0;
const scratch = (): string => {
  const folder = join(root, String(folders++));
  mkdirSync(folder);
  return folder;
};

/** A checkpoint that a framework saved in one of its ways, or one of every type that there is. */
interface Origin {
  readonly title: string;
  /** Absent for the one that no framework saved. */
  readonly form?: CheckpointForm;
  readonly way: string;
}

const everyType: Origin = { title: 'Drover', way: 'every type' };
const origins: readonly Origin[] = [
  ...checkpointForms.flatMap((form) =>
    Object.entries(form.ways).map(([way]) => ({ title: form.title, form, way })),
  ),
  everyType,
];
const methodOf = ({ form, way }: Origin): string => form?.ways[way] ?? way;
const wayOf = (origin: Origin, to: CheckpointForm): string =>
  `${origin.title} (${methodOf(origin)}) to ${to.title}`;
const ways = origins.flatMap((origin) =>
  checkpointForms.map((to) => [wayOf(origin, to), { origin, to }] as const),
);

/** A checkpoint, and what its framework says that is in it. */
interface Opened {
  readonly by: string;
  readonly checkpoint: Checkpoint;
  readonly facts: TensorFacts;
}

const base64 = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64');

/** Tensors of every type with bits of all kinds, two of them with a further name. */
function ofEveryType(): Opened {
  const texts = ['a', '', '名前', 'x'.repeat(1000)];
  const facts: Record<string, TensorFacts[string]> = {};
  const tensors = dtypes.map((dtype, i) => {
    const name = `${dtype}/values`;
    const shape = dtype === 'string' ? [2, 2] : [2, 128];
    const bytes = Uint8Array.from({ length: 32 * bitsOf(dtype) }, (_, at) =>
      dtype === 'bool' ? at % 2 : (at * 167 + i) % 256,
    );
    const weight =
      dtype === 'string'
        ? Weight.from(tensor(dtype, shape, texts))
        : Weight.of(dtype, shape, bytes);
    const data =
      dtype === 'string' ? texts.map((text) => base64(Buffer.from(text))) : base64(bytes);
    const aliases = /^(float16|int32)$/.test(dtype) ? [`tied_${dtype}/values`] : [];
    for (const each of [name, ...aliases]) facts[each] = { dtype, shape, data };
    return { name, weight, role: 'parameter' as const, aliases };
  });
  const checkpoint = { store: new TensorStore(tensors), format: 'core', versions: {}, file: '' };
  return { by: 'Drover', checkpoint, facts };
}

/** The same tensors with those alone that are named, under plain names. */
async function chosen(
  checkpoint: Checkpoint,
  edit: Parameters<typeof editStore>[1],
): Promise<Checkpoint> {
  return { ...checkpoint, store: await editStore(checkpoint.store, edit, new Report()) };
}

/** Opens a file of a form, its names made plain. */
async function opened(path: string, { format, rename }: CheckpointForm): Promise<Checkpoint> {
  const checkpoint = await openCheckpoint(await openFile(path), format);
  return rename ? chosen(checkpoint, { rename }) : checkpoint;
}

async function write(checkpoint: Checkpoint, to: CheckpointForm): Promise<string> {
  const folder = scratch();
  const { format, path, options } = to;
  await writeCheckpoint(checkpoint, { to: format, sink: outputFolder(folder), path, options });
  return join(folder, path);
}

/** The tensors that a loader of a form gives: of tied ones each name, or the first alone. */
const loadable = (facts: TensorFacts, { store }: Checkpoint, form: CheckpointForm): TensorFacts =>
  Object.fromEntries(
    Object.entries(facts).filter(
      ([name]) => form.hasEachName || (store.get(name)?.name ?? name) === name,
    ),
  );

/** Tensors as they are after they went through forms. */
function through(facts: TensorFacts, ...forms: readonly CheckpointForm[]): TensorFacts {
  if (!forms.some(({ listsScalars }) => listsScalars)) return facts;
  return Object.fromEntries(
    Object.entries(facts).map(([name, fact]) => [
      name,
      fact.shape.length === 0 ? { ...fact, shape: [1] } : fact,
    ]),
  );
}

/** A file on disk, and what it should hold. */
interface Expectation {
  readonly path: string;
  readonly form: CheckpointForm;
  readonly expected: TensorFacts;
  loaded?: Loaded;
}

/** What became of a checkpoint in a form. */
interface Carried {
  /** Names of the tensors that are of no type of the target, by the target's own words. */
  readonly refused: readonly string[];
  readonly there: Expectation;
  /** In the form that it came from. */
  readonly back?: Expectation;
}

/** Writes a checkpoint; names what is refused, which is left out then. */
async function carry(origin: Origin, to: CheckpointForm, from: Opened): Promise<Carried> {
  const { checkpoint } = from;
  let [refused, left]: [readonly string[], Checkpoint] = [[], checkpoint];
  let path: string;
  try {
    path = await write(checkpoint, to);
  } catch (error) {
    if (!(error instanceof ConversionError)) throw error;
    expect(error.diagnostics.map(({ code }) => code)).toContain('core/not-writable');
    refused = error.diagnostics.flatMap(({ code, severity, origin: { node } }) => {
      if (severity === 'error') expect(code).toBe('core/not-writable');
      return severity === 'error' ? [node!] : [];
    });
    const names = [...checkpoint.store].flatMap(({ name, aliases }) =>
      refused.includes(name) ? [] : [name, ...aliases],
    );
    left = await chosen(checkpoint, { only: names });
    path = await write(left, to);
  }
  const facts = Object.fromEntries(
    Object.entries(from.facts).filter(
      ([name]) => !refused.includes(checkpoint.store.get(name)?.name ?? name),
    ),
  );
  const there = { path, form: to, expected: through(loadable(facts, left, to), to) };
  if (!origin.form) return { refused, there };
  const back = await opened(path, { ...to, rename: undefined });
  return {
    refused,
    there,
    back: {
      path: await write(back, origin.form),
      form: origin.form,
      expected: through(loadable(facts, back, origin.form), to, origin.form),
    },
  };
}

const sources = new Map<Origin, Opened>([[everyType, ofEveryType()]]);
const results = new Map<string, Carried | { readonly failure: unknown }>();

beforeAll(async () => {
  for (const form of checkpointForms) {
    const folder = scratch();
    const saved = savedBy(form.python, folder, Object.keys(form.ways));
    for (const origin of origins) {
      if (origin.form !== form) continue;
      const { by, file, tensors: facts } = saved[origin.way]!;
      const checkpoint = await opened(join(folder, file), form);
      sources.set(origin, { by, checkpoint, facts });
    }
  }
  for (const [way, { origin, to }] of ways)
    results.set(
      way,
      await carry(origin, to, sources.get(origin)!).catch((failure: unknown) => ({ failure })),
    );
  const files = [...results.values()].flatMap((each) =>
    'failure' in each ? [] : [each.there, ...(each.back ? [each.back] : [])],
  );
  for (const { path, expected } of files) writeFileSync(`${path}.json`, JSON.stringify(expected));
  for (const python of new Set(checkpointForms.map((form) => form.python))) {
    const own = files.filter(({ form }) => form.python === python);
    const answers = loadedBy(
      python,
      own.map(({ form, path }) => [form.loader, path]),
    );
    own.forEach((each, i) => (each.loaded = answers[i]!));
  }
}, 600_000);

/** Holds what a framework has against what it should have. */
function expectLoaded({ loaded, expected }: Expectation): void {
  if (loaded === undefined || 'error' in loaded) throw new Error(loaded?.error);
  const { tensors } = loaded;
  expect(Object.keys(tensors).toSorted()).toEqual(Object.keys(expected).toSorted());
  for (const [name, fact] of Object.entries(expected))
    expect([name, tensors[name]]).toEqual([name, fact]);
}

function resultOf(way: string): Carried {
  const result = results.get(way)!;
  if ('failure' in result) throw result.failure;
  return result;
}

describe.each(ways)('%s', (way, { origin, to }) => {
  const carried = () => resultOf(way);

  it('refuses the tensors of types that are not there, and no others', () => {
    const { facts, checkpoint } = sources.get(origin)!;
    const lacking = Object.keys(loadable(facts, checkpoint, { ...to, hasEachName: false })).filter(
      (name) => !(to.holds as readonly string[]).includes(facts[name]!.dtype),
    );
    expect(carried().refused.toSorted()).toEqual(lacking.toSorted());
  });

  it('the framework loads every other tensor, bit for bit', () => {
    const { there } = carried();
    expect(Object.keys(there.expected).length).toBeGreaterThanOrEqual(8);
    expectLoaded(there);
  });

  if (origin.form)
    it('and back the framework that it came from', () => expectLoaded(carried().back!));
});

/** The tensors that a framework loaded as they should be. */
function verified({ loaded, expected }: Expectation): TensorFacts {
  const tensors: TensorFacts = loaded && 'tensors' in loaded ? loaded.tensors : {};
  return Object.fromEntries(
    Object.entries(expected).filter(([name, fact]) => isDeepStrictEqual(tensors[name], fact)),
  );
}

it('the page says what was verified', () => {
  const rows = origins.map((origin): VerifiedRow => {
    const { by, facts } = sources.get(origin)!;
    const cells = checkpointForms.map((to) => {
      const { there, back } = resultOf(wayOf(origin, to));
      return { there: verified(there), ...(back && { back: verified(back) }) };
    });
    return { saved: `${by}: ${methodOf(origin)}`, facts, cells };
  });
  const forms = checkpointForms.map((form): VerifiedForm => {
    const { there, refused } = resultOf(wayOf(everyType, form));
    const by = there.loaded && 'by' in there.loaded ? there.loaded.by : '';
    return { form, by, refused: refused.map((name) => name.split('/')[0]!) };
  });
  const text = checkpointsPage(rows, forms);
  if (process.env['DROVER_UPDATE']) writeFileSync(page, text);
  const plain = (each: string) => each.replace(/ +/g, ' ').replace(/-+/g, '-');
  expect(plain(readFileSync(page, 'utf8'))).toBe(plain(text));
});
