import { ByteHandle, Weight } from '@drover/core';
import { npyOf, openNpy } from './npy.js';

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
const open = (bytes: Uint8Array) => openNpy(ByteHandle.of(bytes), 'x', 'x.npy');
const read = async (name: keyof typeof files) => {
  const { dtype, shape, data } = await (await open(bytesOf(name))).tensor();
  return [dtype, shape, [...data]];
};
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('openNpy', () => {
  it('reads what NumPy wrote', async () => {
    expect(await read('fortran')).toEqual(['int32', [2, 3], [0, 1, 2, 3, 4, 5]]);
    expect(await read('bigEndian')).toEqual(['float32', [2], [1.5, -2]]);
    expect(await read('unicode')).toEqual(['string', [3], ['a', 'h\u00e9\u00e9', '']]);
    expect(await read('bytes')).toEqual(['string', [2], ['ab', 'c']]);
    expect(await read('complex64')).toEqual(['complex64', [2], [1, 2, 3, -4]]);
    expect(await read('float16')).toEqual(['float16', [5], [1, -0, Infinity, NaN, 65504]]);
    expect(await read('bool')).toEqual(['bool', [2, 1], [1, 0]]);
    expect(await read('scalarInt64')).toEqual(['int64', [], [-(2n ** 63n)]]);
    expect(await read('empty')).toEqual(['uint8', [0, 3], []]);
    expect(await read('version2')).toEqual(['uint64', [3], [0n, 1n, 2n]]);
  });

  it('refuses records and pickled objects', async () => {
    await expect(read('records')).rejects.toEqual(failing('numpy/dtype'));
    const pickled = Buffer.from(
      Buffer.from(files.bool, 'base64').toString('latin1').replace('|b1', '|O8'),
      'latin1',
    );
    await expect(open(new Uint8Array(pickled))).rejects.toEqual(failing('numpy/dtype'));
  });

  it('refuses every cut of a file', async () => {
    const whole = bytesOf('bigEndian');
    for (let length = 0; length < whole.length; length++) {
      await expect(open(whole.subarray(0, length))).rejects.toEqual(
        length < 128 ? failing('numpy/format') : failing('numpy/size'),
      );
    }
    await expect(open(new Uint8Array([...whole, 0]))).rejects.toEqual(failing('numpy/size'));
  });

  it.each([
    '(99999999999999999999,)',
    '(4294967296, 4294967296, 4294967296)',
    '(-1,)',
    '(1.5,)',
    '(8)x',
  ])('refuses the shape %s', async (shape) => {
    const header =
      `{'descr': '<f4', 'fortran_order': False, 'shape': ${shape}, }`.padEnd(117) + '\n';
    const bytes = Buffer.concat([
      Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, 118, 0]),
      Buffer.from(header),
      Buffer.alloc(8),
    ]);
    await expect(open(new Uint8Array(bytes))).rejects.toEqual(
      expect.objectContaining({ failure: 'malformed' }),
    );
  });
});

describe('npyOf', () => {
  it.each(['unicode', 'complex64', 'float16', 'bool', 'scalarInt64', 'empty'] as const)(
    'writes the bytes that NumPy writes: %s',
    async (name) => {
      const written = await (await npyOf(await open(bytesOf(name)))).read();
      expect(Buffer.from(written).toString('base64')).toBe(files[name]);
    },
  );

  it('refuses a type that NumPy lacks', async () => {
    const weight = Weight.of('float8e4m3fn', [1], new Uint8Array(1));
    await expect(npyOf(weight)).rejects.toEqual(failing('numpy/dtype'));
  });
});
