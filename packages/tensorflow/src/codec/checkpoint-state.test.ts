import { memorySource } from '@drover/core';
import { codesOf } from '../../testing/failure.js';
import { latestPrefix } from './checkpoint-state.js';

const utf8 = (text: string) => new TextEncoder().encode(text);

describe('a file named checkpoint', () => {
  const latest = (text: string) =>
    latestPrefix(memorySource('checkpoint', new Map([['checkpoint', utf8(text)]])));

  test.each([
    ['model_checkpoint_path: "ckpt-3"\nall_model_checkpoint_paths: "ckpt-2"\n', 'ckpt-3'],
    ['model_checkpoint_path: "/home/a/run/model.ckpt-9"\n', 'model.ckpt-9'],
    ["model_checkpoint_path: 'sub/ckpt'\n\nlast_preserved_timestamp: 1.7e+09", 'sub/ckpt'],
    ['model_checkpoint_path: "n\\303\\244 \\"x\\" \\x41"', 'nä "x" A'],
  ])('%j names %s', async (text, prefix) => expect(await latest(text)).toBe(prefix));

  test.each([
    ['model_checkpoint_path: "../ckpt"', 'core/path'],
    ['model_checkpoint_path: "a/../../ckpt"', 'core/path'],
    ['model_checkpoint_path: "c:\\\\run\\\\ckpt"', 'core/path'],
    ['model_checkpoint_path: ""', 'core/path'],
    ['model_checkpoint_path: "ckpt', 'tensorflow/state'],
    ['model_checkpoint_path: 3', 'tensorflow/state'],
    ['model_checkpoint_path: "\\q"', 'tensorflow/state'],
    ['model_checkpoint_path: "\\377"', 'tensorflow/state'],
    ['all_model_checkpoint_paths: "a"', 'tensorflow/state'],
    ['model_checkpoint_path: "a"\nall_mod', 'tensorflow/state'],
  ])('%j is told as %s', async (text, code) => expect(await codesOf(latest(text))).toEqual([code]));
});

test('a file named checkpoint of a megabyte is none', async () => {
  const source = memorySource('checkpoint', new Map([['checkpoint', new Uint8Array(2 ** 20 + 1)]]));
  expect(await codesOf(latestPrefix(source))).toEqual(['tensorflow/state']);
});
