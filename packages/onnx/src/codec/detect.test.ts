import { readdirSync, readFileSync } from 'node:fs';
import { memorySource } from '@drover/core';
import { isModel } from './detect.js';

const models = new URL('../../../../fixtures/models/', import.meta.url);
const names = readdirSync(models, { recursive: true, encoding: 'utf8' });
const detect = (bytes: Uint8Array) => isModel(memorySource('file', new Map([['file', bytes]])));

describe('isModel', () => {
  test.each(names.filter((name) => name.endsWith('.onnx')))('%s', async (name) => {
    expect(await detect(readFileSync(new URL(name, models)))).toBe(true);
  });

  test.each(names.filter((name) => /\.(json|params|npz|bin|pb|data|h5|md)$/.test(name)))(
    'not %s',
    async (name) => {
      expect(await detect(readFileSync(new URL(name, models)))).toBe(false);
    },
  );

  test.each([
    ['nothing', ''],
    ['zeros', '00'.repeat(100)],
    ['a tensor of rank 2', '080208031001220401020304'],
    ['a graph without a version', '3a020a00'],
    ['a truncated number', '0880'],
    ['text', Buffer.from(': a b c\n').toString('hex')],
  ])('not %s', async (_name, hex) => {
    expect(await detect(Buffer.from(hex, 'hex'))).toBe(false);
  });

  test('a truncated model is one', async () => {
    expect(await detect(Buffer.from('08083aff7f0a00', 'hex'))).toBe(true);
  });
});
