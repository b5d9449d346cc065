import { byteSize, checkOptions, choice, flagOf, wholeNumber } from './option.js';

const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

const options = {
  opset: wholeNumber('version', { from: 13, to: 23 }),
  shardSize: byteSize('largest size'),
  quantize: choice('storage', ['f16', 'u8'], { placeholder: 'type', aliases: { fp16: 'f16' } }),
};

test.each([
  ['opset', '17', 17],
  ['opset', '12', undefined],
  ['opset', '1e1', undefined],
  ['shardSize', '4MB', 4_000_000],
  ['shardSize', '1.5 KiB', 1536],
  ['shardSize', '4', 4],
  ['shardSize', '0', undefined],
  ['shardSize', '4 parsecs', undefined],
  ['shardSize', '0.5b', undefined],
  ['quantize', 'F16', 'f16'],
  ['quantize', 'FP16', 'f16'],
  ['quantize', 'constructor', undefined],
] as const)('%s reads %j as %j', (name, text, value) => {
  expect(options[name].parse(text)).toBe(value);
});

it('checks values by the option that they are for', () => {
  expect(checkOptions('X', options, { opset: 17, quantize: undefined })).toEqual({ opset: 17 });
  expect(() => checkOptions('X', options, { opset: 12 })).toThrow(
    'opset of X must be a whole number from 13 to 23, not 12.',
  );
  expect(() => checkOptions('X', options, { toString: 1 })).toThrow(failing('core/option'));
  expect(() => checkOptions('X', options, { opsets: 17 })).toThrow(
    'X has no option opsets; it has opset, shardSize, quantize.',
  );
});

it('spells an option as a flag', () => expect(flagOf('shardSize')).toBe('--shard-size'));
