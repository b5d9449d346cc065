import { readFileSync } from 'node:fs';
import {
  DroverError,
  memorySource,
  MemorySink,
  Report,
  ByteHandle,
  type Diagnostic,
} from '@drover/core';
import { ZipWriter } from '@drover/zip';
import { pytorch } from './format.js';

const bytes = (text: string) => Uint8Array.from(text, (letter) => letter.charCodeAt(0));
const u4 = (n: number) => String.fromCharCode(n & 255, (n >> 8) & 255, (n >> 16) & 255, n >>> 24);
const text = (value: string) => `X${u4(value.length)}${value}`;

/** Opens a file; gives what refused it. */
async function refusal(content: Uint8Array, name = 'model.pt'): Promise<readonly Diagnostic[]> {
  const source = memorySource(name, new Map([[name, content]]));
  try {
    await pytorch.checkpoint!.read!(source, { report: new Report(), options: {} });
  } catch (error) {
    if (error instanceof DroverError) return error.diagnostics;
    throw error;
  }
  return [];
}

async function zip(records: readonly (readonly [string, string])[]): Promise<Uint8Array> {
  const sink = new MemorySink();
  const archive = new ZipWriter(await sink.create('a.zip'), { names: 'keys' });
  for (const [name, content] of records) await archive.add(name, ByteHandle.of(bytes(content)));
  await archive.finish();
  await sink.commit();
  return sink.files.get('a.zip')!;
}

const magic = '\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.';
const legacy = (object: string, { info = '\x80\x02}.', keys = '\x80\x02].' } = {}) =>
  bytes(`${magic}\x80\x02M\xe9\x03.${info}${object}${keys}`);

/** What runs code when Python loads it: each names what it calls. */
const targets: readonly (readonly [module: string, name: string])[] = [
  ['os', 'system'],
  ['posix', 'system'],
  ['nt', 'system'],
  ['subprocess', 'Popen'],
  ['subprocess', 'check_output'],
  ['builtins', 'eval'],
  ['__builtin__', 'exec'],
  ['builtins', 'compile'],
  ['builtins', '__import__'],
  ['builtins', 'open'],
  ['__builtin__', 'execfile'],
  ['builtins', 'getattr'],
  ['builtins', 'globals'],
  ['importlib', 'import_module'],
  ['runpy', '_run_code'],
  ['sys', 'modules'],
  ['socket', 'create_connection'],
  ['shutil', 'rmtree'],
  ['pty', 'spawn'],
  ['webbrowser', 'open'],
  ['ctypes', 'CDLL'],
  ['code', 'InteractiveInterpreter'],
  ['types', 'FunctionType'],
  ['types', 'CodeType'],
  ['operator', 'attrgetter'],
  ['operator', 'methodcaller'],
  ['_operator', 'itemgetter'],
  ['pickle', 'loads'],
  ['_pickle', 'loads'],
  ['cPickle', 'loads'],
  ['marshal', 'loads'],
  ['bdb', 'Bdb'],
  ['pdb', 'run'],
  ['timeit', 'timeit'],
  ['cProfile', 'run'],
  ['commands', 'getoutput'],
  ['tempfile', 'NamedTemporaryFile'],
  ['logging', 'FileHandler'],
  ['sqlite3', 'connect'],
  ['smtplib', 'SMTP'],
  ['asyncio', 'run'],
  ['multiprocessing', 'Process'],
  ['threading', 'Thread'],
  ['zipimport', 'zipimporter'],
  ['dill._dill', '_create_function'],
  ['cloudpickle.cloudpickle', '_make_function'],
  ['joblib', 'load'],
  ['numpy', 'load'],
  ['numpy.testing._private.utils', 'runstring'],
  ['numpy.f2py.crackfortran', 'getlincoef'],
  ['pip', 'main'],
  ['requests', 'get'],
  ['torch', 'load'],
  ['torch.hub', 'load'],
  ['torch.storage', '_load_from_bytes'],
  ['torch.package', 'PackageImporter'],
  ['torch.fx.graph_module', 'reduce_graph_module'],
  ['torch.utils.cpp_extension', 'load_inline'],
  ['torch.jit', 'load'],
  ['torch.serialization', 'os.system'],
  ['torch._utils', 'sys.modules'],
  ['six.moves', 'builtins.eval'],
  ['program', 'Popen'],
  ['program', 'helper'],
  ['torch.nn.modules.module', 'Module.__init__.__globals__'],
  ['program', '_os.unlink'],
  ['numpy', 'memmap'],
  ['functools', 'reduce'],
];

/** The ways in which a pickle has something called. */
const routes: Readonly<Record<string, (module: string, name: string) => string>> = {
  GLOBAL: (module, name) => `c${module}\n${name}\n(${text('x')}tR`,
  STACK_GLOBAL: (module, name) => `${text(module)}${text(name)}\x93${text('x')}\x85R`,
  INST: (module, name) => `(${text('x')}i${module}\n${name}\n`,
  OBJ: (module, name) => `(c${module}\n${name}\n${text('x')}o`,
};

const refused = (found: readonly Diagnostic[]) => [...new Set(found.map(({ code }) => code))];

describe.each(Object.entries(routes))('%s', (_, route) => {
  test.each(targets)('%s %s', async (module, name) => {
    for (const content of [
      bytes(`\x80\x04${route(module, name)}.`),
      await zip([['a/data.pkl', `\x80\x04${route(module, name)}.`]]),
    ]) {
      const found = await refusal(content);
      expect(refused(found)).toEqual(['pytorch/unsafe']);
      expect(
        found.some(
          ({ message }) => message.includes(`${module}.${name}`) || message.includes('getattr'),
        ),
      ).toBe(true);
      expect(found[0]!.message).toMatch(/at byte \d+ of/);
    }
  });
});

const evil = `cos\nsystem\n${text('x')}\x85R`;
const call = (module: string, name: string, ...args: string[]) =>
  `c${module}\n${name}\n(${args.join('')}tR`;

const hidden: readonly (readonly [string, string, named: string])[] = [
  ['a name that nothing calls', 'cos\nsystem\n', 'os.system'],
  ['NEWOBJ', `csubprocess\nPopen\n${text('x')}\x85\x81`, 'subprocess.Popen'],
  ['NEWOBJ_EX', `csubprocess\nPopen\n${text('x')}\x85}\x92`, 'subprocess.Popen'],
  ['in a dict', `}${text('weights')}${evil}s`, 'os.system'],
  ['as a key', `}${evil}Ns`, 'os.system'],
  ['in a list', `](${evil}e`, 'os.system'],
  ['in a tuple', `${evil}\x85`, 'os.system'],
  ['in a set', `\x8f(${evil}\x90`, 'os.system'],
  ['popped at once', `${evil}0N`, 'os.system'],
  ['under a mark that is popped', `N(${evil}1`, 'os.system'],
  ['from the memo', `cos\nsystem\nq\x010h\x01${text('x')}\x85R`, 'os.system'],
  ['in arguments', `cprogram\nModel\n(${evil}tR`, 'os.system'],
  ['in keywords', `cprogram\nModel\n)}${text('k')}${evil}s\x92`, 'os.system'],
  ['in a state', `cprogram\nModel\n)\x81}${text('k')}${evil}sb`, 'os.system'],
  [
    'in a persistent id',
    `(${text('storage')}${evil}${text('0')}${text('cpu')}K\x01tQ`,
    'os.system',
  ],
  ['a persistent id of another kind', `(${text('file')}${text('/etc/passwd')}tQ`, '"file"'],
  ['a persistent id that is text', 'P/etc/passwd\n', '/etc/passwd'],
  ['an extension code', '\x82\x01', 'Extension 1'],
  ['an extension code of two bytes', '\x83\x01\x02', 'Extension 1.2'],
  ['an extension code of four bytes', '\x84\x01\x02\x03\x04', 'Extension 1.2.3.4'],
  ['what a call gave is called', `cprogram\nModel\n)R)R`, 'program.Model'],
  [
    'what partial gave is called',
    `cfunctools\npartial\n(cprogram\nhelper\ntR)R`,
    'functools.partial',
  ],
  ['partial of what runs code', call('functools', 'partial', 'cos\nsystem\n'), 'os.system'],
  [
    'a state by which the unpickler calls',
    `cprogram\nModel\n)\x81}${text('__setstate__')}cprogram\nhelper\nsb`,
    '__setstate__',
  ],
  [
    'a state by which APPEND calls',
    `cprogram\nModel\n)\x81}${text('append')}cprogram\nhelper\nsb${text('x')}a`,
    'append',
  ],
  [
    'a state in slots by which APPENDS calls',
    `cprogram\nModel\n)\x81N}${text('extend')}cprogram\nhelper\ns\x86b`,
    'extend',
  ],
  ['a class is changed', `cprogram\nModel\n}${text('forward')}cprogram\nhelper\nsb`, 'is changed'],
  ['a dict of the program is changed', `cprogram\nREGISTRY\n${text('k')}Ns`, 'is changed'],
  ['a list of the program is changed', `cprogram\nHOOKS\nNa`, 'is changed'],
  ['getattr of what is no class', call('builtins', 'getattr', text('x'), text('y')), 'getattr'],
  [
    'getattr of an attribute of the interpreter',
    call('builtins', 'getattr', 'cprogram\nModel\n', text('__globals__')),
    'getattr',
  ],
  [
    'getattr that leads to a module',
    call('__builtin__', 'getattr', 'cprogram\ntools\n', text('os')),
    'program.tools.os',
  ],
  [
    'a method that leads to a module',
    call('builtins', 'getattr', 'cprogram\nModel\n)R', text('os')),
    'program.Model.os',
  ],
  [
    'a method is called',
    `cbuiltins\ngetattr\n(cprogram\nModel\n)R${text('load')}tR)R`,
    'program.Model.load',
  ],
  ['getattr that is kept', `(cbuiltins\ngetattr\nt`, 'getattr'],
  [
    'a member is called',
    `cbuiltins\ngetattr\n(cprogram\nModel\n${text('load')}tR)R`,
    'program.Model.load',
  ],
  ['a class is made', call('builtins', 'type', text('X'), ')', '}'), 'builtins.type'],
  [
    'a function that PyTorch calls',
    `ctorch._tensor\n_rebuild_from_type_v2\n(cprogram\nhelper\ncprogram\nModel\n)NtR`,
    'program.helper',
  ],
  [
    'a constructor that NumPy calls',
    call('numpy.random._pickle', '__generator_ctor', text('PCG64'), 'cprogram\nhelper\n'),
    'program.helper',
  ],
  ['a text that is called', `${text('os.system')})R`, 'os.system'],
];

test.each(hidden)('hidden: %s', async (_, body, named) => {
  for (const content of [
    bytes(`\x80\x04${body}.`),
    await zip([
      ['archive/data.pkl', `\x80\x04${body}.`],
      ['archive/version', '3\n'],
    ]),
    legacy(`\x80\x04${body}.`),
  ]) {
    const found = await refusal(content);
    expect(refused(found)).toEqual(['pytorch/unsafe']);
    expect(found.map(({ message }) => message).join('\n')).toContain(named);
  }
});

const harmless = `\x80\x02}.`;
const bad = `\x80\x02${evil}.`;
const state = new Uint8Array(
  readFileSync(new URL('./codec/testdata/state-dict-legacy.pth', import.meta.url)),
);

test.each([
  ['behind a harmless pickle', async () => bytes(harmless + bad)],
  ['behind a harmless pickle of an archive', () => zip([['a/data.pkl', harmless + bad]])],
  ['in the facts of the machine', async () => legacy(harmless, { info: bad })],
  ['in the list of storages', async () => legacy(harmless, { keys: bad })],
  ['in a pickle that is cut off', async () => bytes(bad.slice(0, -1))],
  [
    'in a pickle that is cut off, by names on the stack',
    async () => bytes(`\x80\x04${text('os')}\x94${text('system')}\x940h\0h\x01\x93`),
  ],
  ['before what is no opcode', async () => bytes(`\x80\x02${evil}\xff`)],
  ['before an operand that is missing', () => zip([['a/data.pkl', `\x80\x02${evil}0R.`]])],
  ['before the magic number', async () => bytes(`\x80\x02${evil}0${magic.slice(2)}`)],
  ['in the protocol', async () => bytes(`${magic}${bad}`)],
  [
    'in a record that nothing refers to',
    () =>
      zip([
        ['a/data.pkl', harmless],
        ['a/other.pkl', bad],
      ]),
  ],
  [
    'in constants',
    () =>
      zip([
        ['a/data.pkl', harmless],
        ['a/constants.pkl', bad],
      ]),
  ],
  ['in a record of another case', () => zip([['a/data.PKL', bad]])],
  [
    'in example inputs',
    async () => {
      const nested = await zip([['b/data.pkl', bad]]);
      const inner = String.fromCharCode(...nested);
      return zip([
        ['a/archive_format', 'pt2'],
        ['a/data/sample_inputs/model.pt', inner],
      ]);
    },
  ],
  ['in a file named as an archive of tar', async () => bytes(bad)],
])('hidden %s', async (_, make) => {
  const found = await refusal(await make(), 'model.pth.tar');
  expect(refused(found)).toEqual(['pytorch/unsafe']);
  expect(found[0]!.message).toContain('os.system');
});

test.each([
  [
    'two folders',
    [
      ['a/data.pkl', harmless],
      ['b/data.pkl', bad],
    ],
    'pytorch/container',
  ],
  [
    'a record that differs in case alone',
    [
      ['a/data.pkl', harmless],
      ['a/Data.pkl', bad],
    ],
    'core/duplicate',
  ],
  [
    'a pickle under another name',
    [
      ['a/weights', bad],
      ['a/version', '3'],
    ],
    'pytorch/container',
  ],
  ['a harmless pickle in another case', [['a/DATA.PKL', harmless]], 'pytorch/container'],
  ['no records', [], 'pytorch/container'],
  [
    'a byte order that is none',
    [
      ['a/data.pkl', harmless],
      ['a/byteorder', 'middle'],
    ],
    'pytorch/container',
  ],
  [
    'TorchScript of 1.0',
    [
      ['a/model.json', '{}'],
      ['a/tensors/0', ''],
    ],
    'pytorch/generation',
  ],
] as const)('an archive with %s is refused', async (_, records, code) => {
  expect(refused(await refusal(await zip(records)))).toEqual([code]);
});

test('all that is found is told at once, up to a hundred', async () => {
  const two = await refusal(bytes(`\x80\x02](${evil}cbuiltins\neval\ne.`));
  expect(two).toHaveLength(2);
  expect(await refusal(bytes(`\x80\x02](${'cos\nsystem\n'.repeat(500)}e.`))).toHaveLength(100);
});

test.each([
  ['bytes behind the storages', () => new Uint8Array([...state, 0])],
  ['bytes behind a pickle', () => bytes(`${harmless}\0`)],
])('%s are refused', async (_, make) => {
  expect(refused(await refusal(make()))).toEqual(['pytorch/pickle']);
});

test.each([
  ['a file of 0.1', bytes(`sys_info${'\0'.repeat(249)}ustar`)],
  ['a stream of 1.0', bytes('PYTORCH1')],
])('%s is named', async (_, content) => {
  const [found] = await refusal(content);
  expect(found!.code).toBe('pytorch/generation');
  expect(found!.help).toContain('torch');
});

test.each([
  ['enumeration of Python 3.11', call('builtins', 'getattr', 'cprogram\nPhase\n', text('TRAIN'))],
  ['method that was kept', call('builtins', 'getattr', 'cprogram\nModel\n)R', text('forward'))],
  ['object of a class', 'cprogram\nModel\n)\x81}b'],
  ['call of a class', call('program', 'Model', 'K\x01')],
  ['partial of a function', call('functools', 'partial', 'ctorch.nn.functional\nrelu\n')],
  ['type of None', call('builtins', 'type', 'N')],
  ['error', call('builtins', 'ValueError', text('x'))],
  ['pattern', call('re', '_compile', text('a'), 'K\x20')],
  [
    'class of the old kind',
    `ccopy_reg\n_reconstructor\n(cprogram\nModel\nc__builtin__\nobject\nNtR}b`,
  ],
  ['class of a script', 'c__main__\nModel\n)\x81}b'],
])('what is harmless opens: %s', async (_, body) => {
  expect(await refusal(bytes(`\x80\x02${body}.`))).toEqual([]);
});

test('every prefix of a file is refused in words', async () => {
  for (const name of ['state-dict-legacy.pth', 'bare.pt', 'arrays.pkl']) {
    const whole = new Uint8Array(
      readFileSync(new URL(`./codec/testdata/${name}`, import.meta.url)),
    );
    for (let length = 0; length < whole.length; length++)
      expect(await refusal(whole.subarray(0, length))).not.toEqual([]);
  }
});

test('every byte that is turned gives a checkpoint or a refusal in words', async () => {
  for (const name of ['state-dict-legacy.pth', 'bare.pt', 'program-2.5.pt2']) {
    const whole = new Uint8Array(
      readFileSync(new URL(`./codec/testdata/${name}`, import.meta.url)),
    );
    const step = Math.ceil(whole.length / 500);
    for (let at = 0; at < whole.length; at += step) {
      const turned = whole.slice();
      turned[at]! ^= 1 << (at % 8);
      await refusal(turned);
    }
  }
});

test.each([
  ['an archive of something else', () => zip([['weights.npy', 'x']])],
  ['text', async () => bytes('{"a": 1}')],
  ['nothing', async () => bytes('')],
])("%s is none of PyTorch's", async (_, make) => {
  const source = memorySource('a.pt', new Map([['a.pt', await make()]]));
  expect(await pytorch.detect(source)).toBeUndefined();
});

test('nesting and sharing without end stop at a limit', async () => {
  const deep = `${'('.repeat(0)}${']'.repeat(2000)}${'a'.repeat(1999)}`;
  expect(refused(await refusal(bytes(`\x80\x02${deep}.`)))).toEqual(['core/limit']);
  // Each list holds the one before twice: 2^40 values.
  let laughs = ']q\0';
  for (let i = 1; i <= 40; i++)
    laughs += `](h${String.fromCharCode(i - 1)}h${String.fromCharCode(i - 1)}eq${String.fromCharCode(i)}`;
  expect(refused(await refusal(bytes(`\x80\x02${laughs}.`)))).toEqual(['core/limit']);
  expect(await refusal(bytes('\x80\x02]q\0h\0a.'))).toEqual([]);
});
