const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/**
 * The modules of Python's standard library, up to 3.14 and of 2.7, without those that begin with an
 * underscore.
 */
export const standardLibrary: ReadonlySet<string> = words(`
  abc aifc annotationlib antigravity argparse array ast asynchat asyncio asyncore atexit audioop
  base64 bdb binascii binhex bisect builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code
  codecs codeop collections colorsys compileall compression concurrent configparser contextlib
  contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm decimal difflib dis
  distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
  fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib
  grp gzip hashlib heapq hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress
  itertools json keyword lib2to3 linecache locale logging lzma macpath mailbox mailcap marshal math
  mimetypes mmap modulefinder msilib msvcrt multiprocessing netrc nis nntplib nt ntpath nturl2path
  numbers opcode operator optparse os ossaudiodev pathlib pdb pickle pickletools pipes
  pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd py_compile pyclbr
  pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy sched
  secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver
  spwd sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct
  subprocess sunau symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios
  textwrap this threading time timeit tkinter token tokenize tomllib trace traceback tracemalloc tty
  turtle turtledemo types typing unicodedata unittest urllib uu uuid venv warnings wave weakref
  webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp zipfile zipimport zlib zoneinfo
  BaseHTTPServer Bastion CGIHTTPServer ConfigParser Cookie DocXMLRPCServer HTMLParser MimeWriter
  Queue SimpleHTTPServer SimpleXMLRPCServer SocketServer StringIO Tkinter UserDict UserList
  UserString anydbm bsddb cPickle cStringIO commands cookielib copy_reg dbhash dircache dl
  dumbdbm exceptions fpformat future_builtins gdbm hotshot htmlentitydefs htmllib httplib ihooks
  imputil md5 mhlib mimetools mimify multifile mutex os2emxpath popen2 posixfile rexec
  rfc822 robotparser sgmllib sha statvfs stringold strop thread toaiff urllib2 urlparse
  whichdb xmlrpclib
`);

/** Packages from outside the standard library that exist to run code, or to load it. */
export const runningPackages: ReadonlySet<string> = words(`
  IPython aiohttp cffi cloudpickle dill execnet fabric h5py httpx invoke ipykernel joblib
  jsonpickle jupyter_client numexpr paramiko pexpect pip pkg_resources plumbum psutil ptyprocess
  pyximport requests restrictedpython setuptools sh six urllib3 wheel
  numpy.f2py numpy.distutils numpy.testing torch.hub torch.package torch.utils.cpp_extension
  torch.utils.bottleneck torch.utils.collect_env torch._inductor torch.distributed.rpc
  torch.distributed.run torch.distributed.elastic torch.utils._config_module torch.fx.experimental
`);

/**
 * Modules of the standard library that give whoever holds them the system, or the interpreter. A
 * name that leads through one of them is refused whatever module it begins in.
 */
export const systemModules: ReadonlySet<string> = words(`
  os posix nt sys subprocess builtins importlib shutil socket pty ctypes runpy pickle cPickle
  marshal imp pdb bdb codeop pkgutil commands popen2 multiprocessing
`);

/**
 * Classes and functions that run code or write files, by the name that other modules have them
 * under, too.
 */
export const runningNames: ReadonlySet<string> = words(`
  eval exec execfile compile __import__ import_module Popen popen system CDLL PyDLL WinDLL OleDLL
  FunctionType CodeType LambdaType InteractiveInterpreter InteractiveConsole Unpickler PackageImporter
  run_module run_path runstring check_output check_call getoutput getstatusoutput spawnl spawnv execv
  execve load_module exec_module LibraryLoader _load_from_bytes memmap DataSource
  PyTorchFileWriter SummaryWriter
`);

/** What Python 2 called modules that have another name since. */
export const renamedModules: ReadonlyMap<string, string> = new Map([
  ['__builtin__', 'builtins'],
  ['copy_reg', 'copyreg'],
  ['UserDict', 'collections'],
  ['exceptions', 'builtins'],
]);

/** What may be named and built of the standard library, by module. */
interface Harmless {
  /** What may stand in a file as a name; `any` of the module. */
  readonly names: 'any' | ReadonlySet<string>;
  /** What may be called or built. */
  readonly calls: ReadonlySet<string>;
}

const all = (calls = ''): Harmless => ({ names: 'any', calls: words(calls) });
const only = (calls: string, names = ''): Harmless => ({
  names: words(`${calls} ${names}`),
  calls: words(calls),
});

const operators = only(
  '',
  'add sub mul truediv floordiv mod neg pos pow abs eq ne lt le gt ge and_ or_ not_ xor getitem matmul',
);

/**
 * What checkpoints ordinarily hold of the standard library, and what does no more than hold data
 * when it is built. `builtins.getattr` is not in it: see `isMemberLookup`.
 */
export const harmless: ReadonlyMap<string, Harmless> = new Map([
  [
    'builtins',
    only(
      'object set frozenset list dict tuple int long float str unicode bytes bytearray bool complex slice range xrange type',
      'print len abs min max sum any all round sorted reversed zip enumerate Ellipsis NotImplemented None property staticmethod classmethod isinstance repr hash',
    ),
  ],
  ['_codecs', only('encode')],
  ['copyreg', only('_reconstructor')],
  [
    'collections',
    all('OrderedDict defaultdict Counter deque ChainMap UserDict UserList UserString'),
  ],
  ['_collections', only('OrderedDict defaultdict deque')],
  ['datetime', all('datetime date time timedelta timezone')],
  ['decimal', all('Decimal Context')],
  ['_decimal', all('Decimal Context')],
  ['_pydecimal', all('Decimal Context')],
  ['fractions', all('Fraction')],
  ['uuid', only('UUID SafeUUID')],
  ['pathlib', all('Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath')],
  ['pathlib._local', all('Path PosixPath WindowsPath PurePath PurePosixPath PureWindowsPath')],
  ['argparse', only('Namespace')],
  ['optparse', only('Values')],
  ['types', only('SimpleNamespace NoneType MappingProxyType', 'EllipsisType')],
  ['functools', only('partial')],
  ['re', only('_compile', 'RegexFlag')],
  ['array', only('array _array_reconstructor')],
  ['random', all('Random')],
  ['io', only('BytesIO StringIO')],
  ['_io', only('BytesIO StringIO')],
  ['logging', only('Logger RootLogger getLogger')],
  ['ipaddress', all('IPv4Address IPv6Address IPv4Network IPv6Network')],
  ['zoneinfo', only('ZoneInfo', 'ZoneInfo._unpickle')],
  ['time', only('struct_time', 'time perf_counter monotonic')],
  ['itertools', only('count cycle repeat chain islice')],
  ['string', all('Template')],
  ['collections.abc', all()],
  ['contextlib', only('nullcontext')],
  ['inspect', only('', '_empty')],
  ['math', all()],
  ['cmath', all()],
  ['numbers', all()],
  ['typing', all()],
  ['abc', all()],
  ['enum', all()],
  ['dataclasses', only('', 'MISSING _MISSING_TYPE _HAS_DEFAULT_FACTORY_CLASS')],
  ['copy', only('', 'copy deepcopy')],
  ['_operator', operators],
  ['operator', operators],
]);

/** Functions from outside the standard library that only put tensors and arrays together. */
export const rebuilders: ReadonlySet<string> = words(`
  torch._utils._rebuild_tensor torch._utils._rebuild_tensor_v2 torch._utils._rebuild_tensor_v3
  torch._utils._rebuild_parameter torch._utils._rebuild_parameter_with_state
  torch._utils._rebuild_qtensor torch._utils._rebuild_sparse_tensor
  torch._utils._rebuild_sparse_csr_tensor torch._utils._rebuild_nested_tensor
  torch._utils._rebuild_meta_tensor_no_storage torch._utils._rebuild_wrapper_subclass
  torch._utils._rebuild_device_tensor_from_numpy torch._utils._rebuild_device_tensor_from_cpu_tensor
  torch._utils._rebuild_xla_tensor torch._utils._rebuild_ort_tensor
  torch._tensor._rebuild_from_type torch._tensor._rebuild_from_type_v2 torch.tensor._rebuild_from_type
  torch.tensor._rebuild_from_type_v2 torch.serialization._get_layout torch.device
  torch.jit._pickle.build_intlist torch.jit._pickle.build_doublelist
  torch.jit._pickle.build_boollist torch.jit._pickle.build_tensorlist
  torch.jit._pickle.restore_type_tag
  numpy.core.multiarray._reconstruct numpy._core.multiarray._reconstruct
  numpy.core.multiarray.scalar numpy._core.multiarray.scalar
  numpy.core.numeric._frombuffer numpy._core.numeric._frombuffer
  numpy.dtype numpy.ndarray numpy.ma.core._mareconstruct
  numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor
  numpy.random._pickle.__bit_generator_ctor numpy.random.__RandomState_ctor
  pandas._libs.internals._unpickle_block pandas.core.internals.blocks.new_block
  pandas.core.indexes.base._new_Index pandas.core.indexes.datetimes._new_DatetimeIndex
`);

/** Those of them that call what they are given. */
export const callers: ReadonlySet<string> = words(`
  torch._tensor._rebuild_from_type torch._tensor._rebuild_from_type_v2
  torch.tensor._rebuild_from_type torch.tensor._rebuild_from_type_v2
  numpy.random._pickle.__randomstate_ctor numpy.random._pickle.__generator_ctor
  numpy.random._pickle.__bit_generator_ctor numpy.random.__RandomState_ctor
`);
