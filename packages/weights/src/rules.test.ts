import { parseRules, renamed } from './rules.js';

it('reads every section', async () => {
  const text = [
    '# what belongs where',
    'rename:',
    "  module.*: '*'",
    'layers:',
    '  node_MatMul_58/MatMul: encoder.query',
    '  7: 0.1',
    'tensors:',
    '  onnx::Add_354: positions.weight',
  ].join('\n');
  expect(await parseRules(text, 'r.yaml')).toEqual({
    rename: new Map([['module.*', '*']]),
    layers: new Map([
      ['node_MatMul_58/MatMul', 'encoder.query'],
      ['7', '0.1'],
    ]),
    tensors: new Map([['onnx::Add_354', 'positions.weight']]),
  });
  expect((await parseRules('', 'r.yaml')).layers.size).toBe(0);
});

it.each([
  ['layers:\n  a: b\n bad: c', /^weights\/rules: r\.yaml:3:1: /],
  ['layer:\n  a: b', /r\.yaml:1:1: A key is one of rename, layers, tensors/],
  ['layers:\n  - a', /r\.yaml:2:3: layers is a map of names/],
  ['layers:\n  a: [b]', /r\.yaml:2:6: A value is a name/],
  ['layers:\n  a: b\n  a: c', /r\.yaml:3:3: Map keys must be unique/],
  ['[1', /r\.yaml:1:/],
  ['x: &a [1]\ny: *a', /r\.yaml:1:1: A key/],
])('says where %j is wrong', async (text, message) => {
  await expect(parseRules(text, 'r.yaml')).rejects.toThrow(message);
});

it.each([
  ['module.a.weight', 'module.*', '*', 'a.weight'],
  ['a.weight', 'module.*', '*', 'a.weight'],
  ['enc.0.query.weight', 'enc.*.query.*', 'encoder/*/q/*', 'encoder/0/q/weight'],
  ['weight', 'weight', 'kernel', 'kernel'],
  ['aXbXc', '*X*', '*-*', 'a-bXc'],
])('%s by %s: %s is %s', (name, from, to, expected) => {
  expect(renamed(name, new Map([[from, to]]))).toBe(expected);
});
