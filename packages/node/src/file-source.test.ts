import { execFileSync } from 'node:child_process';
import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ByteHandle } from '@drover/core';
import { openFile } from './file-source.js';

let root: string;
let model: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-source-'));
  mkdirSync(join(root, 'folder/sub'), { recursive: true });
  model = join(root, 'folder/model.onnx');
  writeFileSync(model, 'abcdefgh');
  writeFileSync(join(root, 'secret'), 'secret');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });

describe('openFile', () => {
  it('reads all, a range and nothing', async () => {
    const source = await openFile(model);
    expect(source.size).toBe(8);
    expect(source.name).toBe(model);
    expect(text(await source.read())).toBe('abcdefgh');
    expect(text(await source.read({ offset: 2, length: 3 }))).toBe('cde');
    expect(await source.read({ offset: 8, length: 0 })).toHaveLength(0);
    source.close();
  });

  it.each([
    { offset: 6, length: 3 },
    { offset: -1, length: 1 },
    { offset: 0, length: 2 ** 53 },
    { offset: 0.5, length: 1 },
  ])('refuses the range %j', async (range) => {
    const source = await openFile(model);
    await expect(source.read(range)).rejects.toEqual(failing('core/range'));
    source.close();
  });

  it('reads past 4 GiB', async () => {
    const big = join(root, 'big.bin');
    execFileSync('truncate', ['-s', '5G', big]);
    execFileSync('sh', ['-c', `printf tail >> "${big}"`]);
    const source = await openFile(big);
    expect(source.size).toBe(5 * 2 ** 30 + 4);
    expect(text(await source.read({ offset: 5 * 2 ** 30 - 1, length: 5 }))).toBe('\0tail');
    source.close();
  });

  it('tells that a file was cut after it was opened', async () => {
    const source = await openFile(model);
    truncateSync(model, 3);
    await expect(source.read()).rejects.toEqual(failing('core/range'));
    source.close();
  });

  it('still reads the old bytes after another file took its name', async () => {
    const source = await openFile(model);
    writeFileSync(join(root, 'new'), 'ZZZ');
    renameSync(join(root, 'new'), model);
    expect(text(await source.read())).toBe('abcdefgh');
    source.close();
  });

  it('refuses to read after close', async () => {
    const source = await openFile(model);
    source.close();
    source.close();
    await expect(source.read()).rejects.toEqual(failing('node/cannot-read'));
  });

  it('tells missing files, folders and pipes apart', async () => {
    await expect(openFile(join(root, 'none'))).rejects.toEqual(failing('core/missing-file'));
    await expect(openFile(root)).rejects.toEqual(failing('node/cannot-read'));
    execFileSync('mkfifo', [join(root, 'pipe')]);
    await expect(openFile(join(root, 'pipe'))).rejects.toEqual(failing('node/cannot-read'));
  });
});

describe('sibling', () => {
  it('opens files of the folder and below it, and closes them with the model', async () => {
    writeFileSync(join(root, 'folder/sub/w.bin'), 'w');
    const source = await openFile(model);
    const weights = await source.sibling('./sub//w.bin');
    expect(weights.name).toBe(join(root, 'folder/sub/w.bin'));
    expect(text(await weights.read())).toBe('w');
    expect(await source.siblings()).toEqual(['model.onnx']);
    source.close();
    await expect(weights.read()).rejects.toEqual(failing('node/cannot-read'));
  });

  it('knows a file again that is opened twice, whichever way', async () => {
    writeFileSync(join(root, 'folder/sub/w.bin'), 'weights');
    const source = await openFile(model);
    const once = ByteHandle.range(await source.sibling('sub/w.bin'), 1, 4);
    const twice = ByteHandle.range(await openFile(join(root, 'folder/sub/w.bin')), 1, 4);
    expect([once.same(twice), once.sharesBytes(ByteHandle.range(source))]).toEqual([true, false]);
  });

  it.each([
    '../secret',
    'a/../../secret',
    '/etc/passwd',
    '/dev/zero',
    'C:\\x',
    'c:/x',
    '\\\\host\\x',
    'sub\\w',
    'w.bin\0.txt',
    '',
    '.',
    'file:///etc/passwd',
  ])('refuses %j', async (path) => {
    const source = await openFile(model);
    await expect(source.sibling(path)).rejects.toEqual(failing('core/path'));
    source.close();
  });

  it('refuses a symbolic link out of the folder, of the file or of its parent, unless links are allowed', async () => {
    symlinkSync(join(root, 'secret'), join(root, 'folder/link'));
    symlinkSync(root, join(root, 'folder/out'));
    const source = await openFile(model);
    await expect(source.sibling('link')).rejects.toEqual(failing('core/path'));
    await expect(source.sibling('out/secret')).rejects.toEqual(failing('core/path'));
    const trusting = await openFile(model, { allowLinks: true });
    expect(text(await (await trusting.sibling('link')).read())).toBe('secret');
    source.close();
    trusting.close();
  });

  it('does not take a folder with the same beginning for its own', async () => {
    mkdirSync(join(root, 'folder2'));
    writeFileSync(join(root, 'folder2/x'), 'x');
    symlinkSync(join(root, 'folder2/x'), join(root, 'folder/x'));
    const source = await openFile(model);
    await expect(source.sibling('x')).rejects.toEqual(failing('core/path'));
    source.close();
  });

  it('refuses a hard link unless links are allowed', async () => {
    linkSync(join(root, 'secret'), join(root, 'folder/hard'));
    const source = await openFile(model);
    await expect(source.sibling('hard')).rejects.toEqual(failing('core/path'));
    source.close();
    const trusting = await openFile(model, { allowLinks: true });
    expect(text(await (await trusting.sibling('hard')).read())).toBe('secret');
    trusting.close();
  });

  describe('in a cache of Hugging Face', () => {
    const cached = (path: string) => join(root, 'hub/models--some--net', path);
    beforeEach(() => {
      mkdirSync(cached('blobs'), { recursive: true });
      mkdirSync(cached('snapshots/0123abcd/onnx'), { recursive: true });
      writeFileSync(cached('blobs/aa11'), 'model');
      writeFileSync(cached('blobs/bb22'), 'weights');
      symlinkSync('../../../blobs/aa11', cached('snapshots/0123abcd/onnx/model.onnx'));
    });

    it('follows links to the blobs of the same repository', async () => {
      symlinkSync('../../../blobs/bb22', cached('snapshots/0123abcd/onnx/model.onnx_data'));
      const source = await openFile(cached('snapshots/0123abcd/onnx/model.onnx'));
      expect(text(await source.read())).toBe('model');
      expect(text(await (await source.sibling('model.onnx_data')).read())).toBe('weights');
      source.close();
    });

    it.each([
      ['a file outside the cache', '../../../../../secret'],
      ['another repository', '../../../../models--other--net/blobs/cc33'],
      ['another revision', '../../fedc/w'],
      ['a link among the blobs', '../../../blobs/link'],
      ['a folder among the blobs', '../../../blobs/sub/dd44'],
    ])('refuses a link to %s', async (_, target) => {
      mkdirSync(join(root, 'hub/models--other--net/blobs'), { recursive: true });
      writeFileSync(join(root, 'hub/models--other--net/blobs/cc33'), 'other');
      mkdirSync(cached('snapshots/fedc'));
      writeFileSync(cached('snapshots/fedc/w'), 'other');
      symlinkSync('../../../secret', cached('blobs/link'));
      mkdirSync(cached('blobs/sub'));
      writeFileSync(cached('blobs/sub/dd44'), 'other');
      symlinkSync(target, cached('snapshots/0123abcd/onnx/model.onnx_data'));
      const source = await openFile(cached('snapshots/0123abcd/onnx/model.onnx'));
      await expect(source.sibling('model.onnx_data')).rejects.toEqual(failing('core/path'));
      source.close();
      const trusting = await openFile(source.name, { allowLinks: true });
      expect((await trusting.sibling('model.onnx_data')).size).toBeGreaterThan(0);
      trusting.close();
    });

    it('refuses a link to blobs from a folder that holds no snapshot', async () => {
      symlinkSync(cached('blobs/bb22'), join(root, 'folder/w'));
      const source = await openFile(model);
      await expect(source.sibling('w')).rejects.toEqual(failing('core/path'));
      source.close();
    });
  });

  it('tells what is missing', async () => {
    const source = await openFile(model);
    await expect(source.sibling('none.bin')).rejects.toEqual(failing('core/missing-file'));
    source.close();
  });
});
