import type { Tensor } from '@drover/core';
import { decodeNpy, encodeNpy } from './npy.js';

/** Written by NumPy 2.4.6: numpy.lib.format.write_array of the arrays that the tests name. */
const files = {
  fortran:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk0JywgJ2ZvcnRyYW5fb3JkZXInOiBUcnVlLCAnc2hhcGUnOiAoMiwgMyksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAwAAAAEAAAAEAAAAAgAAAAUAAAA=',
  bigEndian:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPmY0JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo/wAAAwAAAAA==',
  unicode:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPFUzJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDMsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphAAAAAAAAAAAAAABoAAAA6QAAAOkAAAAAAAAAAAAAAAAAAAA=',
  bytes:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfFMyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAphYmMA',
  complex64:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGM4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAIA/AAAAQAAAQEAAAIDA',
  float16:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGYyJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDUsKSwgfSAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAPACAAHwAfv97',
  bool: 'k05VTVBZAQB2AHsnZGVzY3InOiAnfGIxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDIsIDEpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAA==',
  scalarInt64:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnPGk4JywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKCksIH0gICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAgA==',
  empty:
    'k05VTVBZAQB2AHsnZGVzY3InOiAnfHUxJywgJ2ZvcnRyYW5fb3JkZXInOiBGYWxzZSwgJ3NoYXBlJzogKDAsIDMpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAo=',
  version2:
    'k05VTVBZAgB0AAAAeydkZXNjcic6ICc8dTgnLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMywpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoAAAAAAAAAAAEAAAAAAAAAAgAAAAAAAAA=',
  records:
    'k05VTVBZAQB2AHsnZGVzY3InOiBbKCd4JywgJzxpNCcpLCAoJ3knLCAnPGY0JyldLCAnZm9ydHJhbl9vcmRlcic6IEZhbHNlLCAnc2hhcGUnOiAoMSwpLCB9ICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIAoBAAAAAAAAQA==',
};

const bytesOf = (name: keyof typeof files) => new Uint8Array(Buffer.from(files[name], 'base64'));
const read = (name: keyof typeof files) => {
  const { dtype, shape, data } = decodeNpy(bytesOf(name), name);
  return [dtype, shape, [...data]];
};
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('decodeNpy', () => {
  it('reads what NumPy wrote', () => {
    expect(read('fortran')).toEqual(['int32', [2, 3], [0, 1, 2, 3, 4, 5]]);
    expect(read('bigEndian')).toEqual(['float32', [2], [1.5, -2]]);
    expect(read('unicode')).toEqual(['string', [3], ['a', 'h\u00e9\u00e9', '']]);
    expect(read('bytes')).toEqual(['string', [2], ['ab', 'c']]);
    expect(read('complex64')).toEqual(['complex64', [2], [1, 2, 3, -4]]);
    expect(read('float16')).toEqual(['float16', [5], [1, -0, Infinity, NaN, 65504]]);
    expect(read('bool')).toEqual(['bool', [2, 1], [1, 0]]);
    expect(read('scalarInt64')).toEqual(['int64', [], [-(2n ** 63n)]]);
    expect(read('empty')).toEqual(['uint8', [0, 3], []]);
    expect(read('version2')).toEqual(['uint64', [3], [0n, 1n, 2n]]);
  });

  it('refuses records and pickled objects', () => {
    expect(() => read('records')).toThrow(failing('numpy/dtype'));
    const pickled = Buffer.from(
      Buffer.from(files.bool, 'base64').toString('latin1').replace('|b1', '|O8'),
      'latin1',
    );
    expect(() => decodeNpy(new Uint8Array(pickled), 'x')).toThrow(failing('numpy/dtype'));
  });

  it('refuses every cut of a file', () => {
    const whole = bytesOf('bigEndian');
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeNpy(whole.subarray(0, length), 'x')).toThrow(
        length < 128 ? failing('numpy/format') : failing('numpy/size'),
      );
    }
    expect(() => decodeNpy(new Uint8Array([...whole, 0]), 'x')).toThrow(failing('numpy/size'));
  });

  it.each([
    '(99999999999999999999,)',
    '(4294967296, 4294967296, 4294967296)',
    '(-1,)',
    '(1.5,)',
    '(8)x',
  ])('refuses the shape %s', (shape) => {
    const header =
      `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
    const bytes = Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
      Buffer.from(header),
      Buffer.alloc(8),
    ]);
    expect(() => decodeNpy(new Uint8Array(bytes), 'x')).toThrow(
      expect.objectContaining({ failure: 'malformed' }),
    );
  });
});

describe('encodeNpy', () => {
  it.each(['unicode', 'complex64', 'float16', 'bool', 'scalarInt64', 'empty'] as const)(
    'writes the bytes that NumPy writes: %s',
    (name) => {
      expect(Buffer.from(encodeNpy(decodeNpy(bytesOf(name), name))).toString('base64')).toBe(
        files[name],
      );
    },
  );

  it('refuses a type that NumPy lacks', () => {
    const tensor: Tensor = { dtype: 'bfloat16', shape: [1], data: new Float64Array(1) };
    expect(() => encodeNpy(tensor)).toThrow(failing('numpy/dtype'));
  });
});
