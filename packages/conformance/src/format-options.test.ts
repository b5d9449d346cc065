import { DroverError, Graph, Model, openModel, ops, planModel, type Format } from '@drover/core';
import type { Option } from '@drover/core/option';
import { openFixture } from './conversion-chain.js';
import { byName, type Subject } from './subjects.js';

function small(): Model {
  const graph = new Graph();
  const x = graph.input('x', 'float32', [2, 3]);
  graph.output('y', graph.add(ops.Relu, { x }, {}).y);
  return new Model(graph);
}

/** Reads or plans with these options and gives the code with which that fails. */
async function codeWith(
  { format, models }: Subject,
  side: keyof Format['options'],
  options: Readonly<Record<string, unknown>>,
): Promise<string | undefined> {
  const opened = await openFixture(models[0]!);
  try {
    if (side === 'write') await planModel(small(), { to: format, options });
    else await openModel(opened.source, format, { options, params: opened.params });
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics[0]!.code;
    throw error;
  } finally {
    opened.close();
  }
  return undefined;
}

describe.each(byName)('%s', (_, subject) => {
  const { options } = subject.format;
  const cases = (['read', 'write'] as const).flatMap((side) =>
    Object.entries<Option<unknown>>(options[side]).map(
      ([name, each]) => [side, name, each] as const,
    ),
  );

  it.each(['noSuchOption', 'constructor', '__proto__', 'toString'])(
    'has no option %s',
    async (name) => {
      for (const side of ['read', 'write'] as const)
        expect(await codeWith(subject, side, { [name]: 1 })).toBe('core/option');
    },
  );

  it('takes options that are left out', async () => {
    for (const side of ['read', 'write'] as const) {
      const none = Object.fromEntries(Object.keys(options[side]).map((name) => [name, undefined]));
      expect(await codeWith(subject, side, none)).toBeUndefined();
    }
  });

  for (const [side, name, option] of cases) {
    it(`checks what ${name} is set to when models are to ${side}`, async () => {
      for (const value of [{}, [], null, '', '\0', Number.NaN, -1, 'constructor'])
        expect([value, await codeWith(subject, side, { [name]: value })]).toEqual([
          value,
          'core/option',
        ]);
      for (const choice of option.choices ?? []) {
        expect(option.parse(choice)).toBe(choice);
        expect([choice, await codeWith(subject, side, { [name]: choice })]).toEqual([
          choice,
          undefined,
        ]);
      }
      for (const text of ['', '\0', '{}', '__proto__', 'constructor'])
        expect([text, option.parse(text)]).toEqual([text, undefined]);
    });

    it(`says what ${name} is for`, () => {
      expect(option.summary).not.toBe('');
      expect(option.placeholder).not.toBe('');
      expect(option.says).not.toBe('');
    });
  }
});
