import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { openFile } from './file-source.js';
import { discardUnfinished } from './interruption.js';
import { outputFile, outputFolder, type FileSink } from './output.js';
import { StandardOutput } from './standard-output.js';
import { temporaryName } from './temporary-name.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'drover-output-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const failing = (code: string) =>
  expect.objectContaining({ diagnostics: [expect.objectContaining({ code })] });
const at = (name: string) => join(root, name);
const content = (name: string) => readFileSync(at(name), 'utf8');
async function put(sink: FileSink, name: string, ...texts: string[]) {
  const file = await sink.create(name);
  for (const text of texts) await file.write(new TextEncoder().encode(text));
  await file.close();
}

describe('outputFolder', () => {
  it('shows nothing before commit, and then every file with its size and hash', async () => {
    const sink = outputFolder(at('a/b'));
    await put(sink, 'w.bin', 'a', '', 'bc');
    await put(sink, 'sub/model.json', '');
    expect(readdirSync(at('a/b')).filter((name) => !name.startsWith('.'))).toEqual(['sub']);
    expect(sink.written).toEqual([]);
    await sink.commit();
    expect(content('a/b/w.bin')).toBe('abc');
    expect(readdirSync(at('a/b')).sort()).toEqual(['sub', 'w.bin']);
    // FIPS 180-4 examples: "abc" and the empty message.
    expect(sink.written).toEqual([
      {
        path: at('a/b/w.bin'),
        bytes: 3,
        sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      },
      {
        path: at('a/b/sub/model.json'),
        bytes: 0,
        sha256: 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      },
    ]);
  });

  it('keeps blocks and pieces in order, and lets the caller reuse its array', async () => {
    const sink = outputFolder(root);
    const file = await sink.create('big');
    const expected = Buffer.concat(
      [7, 300_000, 1, 262_144, 100_000, 200_000].map((length, i) => Buffer.alloc(length, i + 1)),
    );
    const piece = new Uint8Array(300_000);
    for (const [i, length] of [7, 300_000, 1, 262_144, 100_000, 200_000].entries())
      await file.write(piece.subarray(0, length).fill(i + 1));
    await file.close();
    await sink.commit();
    expect(readFileSync(at('big')).equals(expected)).toBe(true);
  });

  it('leaves nothing after abort, new folders included', async () => {
    const sink = outputFolder(at('x/y'));
    await put(sink, 'sub/w.bin', 'w');
    await sink.create('open');
    await sink.abort();
    expect(readdirSync(root)).toEqual([]);
  });

  it('refuses an existing file that it does not replace, and keeps it', async () => {
    writeFileSync(at('model.json'), 'old');
    const sink = outputFolder(root);
    await put(sink, 'w.bin', 'w');
    await expect(sink.create('model.json')).rejects.toEqual(failing('node/exists'));
    await sink.abort();
    expect(readdirSync(root)).toEqual(['model.json']);
    expect(content('model.json')).toBe('old');
  });

  it('does not replace a file that another process made meanwhile', async () => {
    const sink = outputFolder(root);
    await put(sink, 'w.bin', 'mine');
    await put(sink, 'model.json', 'mine');
    writeFileSync(at('model.json'), 'theirs');
    await expect(sink.commit()).rejects.toEqual(failing('node/exists'));
    expect(readdirSync(root)).toEqual(['model.json']);
    expect(content('model.json')).toBe('theirs');
  });

  it('puts every replaced file back when a later one cannot be published', async () => {
    writeFileSync(at('w.bin'), 'old');
    const sink = outputFolder(root, { replaces: ['w.bin', 'model.json'] });
    await put(sink, 'w.bin', 'new');
    await put(sink, 'fresh.bin', 'new');
    await put(sink, 'model.json', 'new');
    mkdirSync(at('model.json'));
    await expect(sink.commit()).rejects.toEqual(failing('node/exists'));
    expect(readdirSync(root).sort()).toEqual(['model.json', 'w.bin']);
    expect(content('w.bin')).toBe('old');
    expect(statSync(at('w.bin')).nlink).toBe(1);
  });

  it('replaces while the old file is being read', async () => {
    writeFileSync(at('model.onnx'), 'old');
    const source = await openFile(at('model.onnx'));
    const sink = outputFolder(root, { replaces: ['model.onnx'] });
    await put(sink, 'model.onnx', 'new one');
    await sink.commit();
    expect(content('model.onnx')).toBe('new one');
    expect(new TextDecoder().decode(await source.read())).toBe('old');
    expect(readdirSync(root)).toEqual(['model.onnx']);
    source.close();
  });

  it.each(['../x', '/x', 'a/../../x', 'a\\b', 'x\0'])('refuses to write to %j', async (path) => {
    const sink = outputFolder(at('out'));
    await expect(sink.create(path)).rejects.toEqual(failing('core/path'));
    await sink.abort();
    expect(readdirSync(root)).toEqual([]);
  });

  it('does not follow a link out of the folder', async () => {
    mkdirSync(at('out'));
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), at('out/sub'));
    const sink = outputFolder(at('out'));
    await expect(sink.create('sub/w.bin')).rejects.toEqual(failing('core/path'));
    await sink.abort();
    expect(readdirSync(at('elsewhere'))).toEqual([]);
  });

  it('refuses to commit a file that was not closed', async () => {
    const sink = outputFolder(root);
    await sink.create('w.bin');
    await expect(sink.commit()).rejects.toEqual(failing('node/cannot-write'));
    await sink.abort();
    expect(readdirSync(root)).toEqual([]);
  });

  it('removes what it replaces and does not write again, and says so', async () => {
    for (const name of ['model.json', 'w1.bin', 'w2.bin', 'other.bin'])
      writeFileSync(at(name), 'old');
    mkdirSync(at('sub'));
    writeFileSync(at('sub/w3.bin'), 'old');
    const sink = outputFolder(root, {
      replaces: ['model.json', 'w1.bin', 'w2.bin', 'sub/w3.bin', 'gone.bin', 'gone/w.bin'],
    });
    await put(sink, 'w1.bin', 'new');
    await put(sink, 'model.json', 'new');
    expect(await sink.standing!('model.json')).toEqual(['other.bin', 'sub']);
    expect(readdirSync(root)).toContain('w2.bin');
    await sink.commit();
    expect(readdirSync(root).sort()).toEqual(['model.json', 'other.bin', 'sub', 'w1.bin']);
    expect(readdirSync(at('sub'))).toEqual([]);
    expect(['model.json', 'w1.bin', 'other.bin'].map(content)).toEqual(['new', 'new', 'old']);
    expect(sink.removed).toEqual([at('w2.bin'), at('sub/w3.bin')]);
  });

  it.each(['abort', 'commit'] as const)(
    'keeps what it replaces when it ends by %s',
    async (end) => {
      for (const name of ['model.json', 'w1.bin', 'w2.bin']) writeFileSync(at(name), 'old');
      const sink = outputFolder(root, { replaces: ['model.json', 'w1.bin', 'w2.bin'] });
      await put(sink, 'w1.bin', 'new');
      if (end === 'commit') await sink.create('not-closed');
      await (end === 'abort' ? sink.abort() : expect(sink.commit()).rejects.toBeDefined());
      await sink.abort();
      expect(readdirSync(root).sort()).toEqual(['model.json', 'w1.bin', 'w2.bin']);
      expect(['model.json', 'w1.bin', 'w2.bin'].map(content)).toEqual(['old', 'old', 'old']);
      expect(sink.removed).toEqual([]);
    },
  );

  it('puts removed files back when a later one cannot be removed', async () => {
    for (const name of ['model.json', 'w1.bin']) writeFileSync(at(name), 'old');
    mkdirSync(at('locked'));
    writeFileSync(at('locked/w2.bin'), 'old');
    const sink = outputFolder(root, { replaces: ['model.json', 'w1.bin', 'locked/w2.bin'] });
    await put(sink, 'model.json', 'new');
    rmSync(at('locked'), { recursive: true });
    writeFileSync(at('locked'), 'a file where the folder was');
    await expect(sink.commit()).rejects.toEqual(failing('node/cannot-write'));
    expect(readdirSync(root).sort()).toEqual(['locked', 'model.json', 'w1.bin']);
    expect(['model.json', 'w1.bin'].map(content)).toEqual(['old', 'old']);
  });

  it('removes a link and not what it leads to, and nothing behind a folder that leads out', async () => {
    mkdirSync(at('out'));
    mkdirSync(at('elsewhere'));
    for (const name of ['a.bin', 'b.bin']) writeFileSync(at(`elsewhere/${name}`), 'theirs');
    symlinkSync(at('elsewhere/a.bin'), at('out/a.bin'));
    symlinkSync(at('elsewhere'), at('out/sub'));
    writeFileSync(at('out/model.json'), 'old');
    const sink = outputFolder(at('out'), { replaces: ['model.json', 'a.bin', 'sub/b.bin'] });
    await put(sink, 'model.json', 'new');
    await sink.commit();
    expect(readdirSync(at('out')).sort()).toEqual(['model.json', 'sub']);
    expect(readdirSync(at('elsewhere')).sort()).toEqual(['a.bin', 'b.bin']);
  });

  it('does not write over a file that is not of the model that it replaces', async () => {
    for (const name of ['model.json', 'w.bin']) writeFileSync(at(name), 'old');
    const sink = outputFolder(root, { replaces: ['model.json'] });
    await expect(sink.create('w.bin')).rejects.toMatchObject({
      diagnostics: [
        { code: 'node/exists', message: expect.stringMatching(/w\.bin.*no file of the model/) },
      ],
    });
    await sink.abort();
    expect(['model.json', 'w.bin'].map(content)).toEqual(['old', 'old']);
  });

  it('refuses a file in place of the folder, at once', () => {
    writeFileSync(at('f'), '');
    expect(() => outputFolder(at('f'))).toThrow(failing('node/exists'));
  });

  it('sweeps what a killed process left, and only that', async () => {
    const dead = spawnSync('true').pid;
    const mine = temporaryName('model.onnx');
    const left = mine.replace(`-${process.pid}-`, `-${dead}-`);
    const elsewhere = left.replace(/drover-[0-9a-f]{8}/, 'drover-00000000');
    for (const name of [mine, left, elsewhere]) writeFileSync(at(name), '');
    const sink = outputFolder(root);
    await put(sink, 'w.bin', 'w');
    await sink.commit();
    expect(readdirSync(root).sort()).toEqual([mine, elsewhere, 'w.bin'].sort());
  });
});

describe('outputFile', () => {
  it('writes the file and its weights beside it', async () => {
    const sink = outputFile(at('net.onnx'));
    expect(sink.main).toBe('net.onnx');
    await put(sink, 'net.onnx.data', 'w');
    await put(sink, 'net.onnx', 'm');
    await sink.commit();
    expect(readdirSync(root).sort()).toEqual(['net.onnx', 'net.onnx.data']);
  });

  it('refuses an existing file, a folder even with force, and a device', () => {
    writeFileSync(at('net.onnx'), 'old');
    expect(() => outputFile(at('net.onnx'))).toThrow(failing('node/exists'));
    expect(() => outputFile(root, { replaces: [basename(root)] })).toThrow(failing('node/exists'));
    expect(() => outputFile('/dev/null', { replaces: ['null'] })).toThrow(failing('node/exists'));
    expect(outputFile(at('net.onnx'), { replaces: ['net.onnx'] }).main).toBe('net.onnx');
  });

  it('tells when the place cannot be written', () => {
    writeFileSync(at('f'), '');
    expect(() => outputFile(at('f/net.onnx'))).toThrow(failing('node/cannot-write'));
    expect(() => outputFile(at(`${'n'.repeat(300)}/net.onnx`))).toThrow(
      failing('node/cannot-write'),
    );
    expect(readdirSync(root)).toEqual(['f']);
  });

  it('tells when a stream fails', async () => {
    const sink = new StandardOutput(
      new Writable({
        write: (_chunk, _encoding, done) =>
          done(Object.assign(new Error('full'), { code: 'ENOSPC' })),
      }),
    );
    await put(sink, 'model', 'x');
    await expect(sink.commit()).rejects.toEqual(failing('node/cannot-write'));
  });
});

describe('discardUnfinished', () => {
  it('takes back everything that is not committed', async () => {
    for (const name of ['old.bin', 'stale.bin']) writeFileSync(at(name), 'old');
    const first = outputFolder(at('new'));
    await put(first, 'w.bin', 'w');
    const second = outputFolder(root, { replaces: ['old.bin', 'stale.bin'] });
    await put(second, 'old.bin', 'new');
    const done = outputFile(at('done'));
    await put(done, 'done', 'd');
    await done.commit();
    discardUnfinished();
    expect(readdirSync(root).sort()).toEqual(['done', 'old.bin', 'stale.bin']);
    expect(content('old.bin')).toBe('old');
  });
});

describe('standard output', () => {
  it('sends one file at commit, and nothing before', async () => {
    const stream = new PassThrough();
    const sink = new StandardOutput(stream);
    await put(sink, 'model.onnx', 'ab', 'c');
    expect(stream.read()).toBeNull();
    await expect(sink.create('model.onnx.data')).rejects.toEqual(failing('node/one-stream'));
    await sink.commit();
    expect(String(stream.read())).toBe('abc');
    expect(sink.written).toEqual([
      {
        path: '-',
        bytes: 3,
        sha256: 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
      },
    ]);
  });
});
