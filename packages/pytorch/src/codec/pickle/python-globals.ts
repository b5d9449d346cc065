import {
  harmless,
  rebuilders,
  renamedModules,
  runningNames,
  runningPackages,
  standardLibrary,
  systemModules,
} from './python-modules.js';
import type { PickleGlobal } from './pickle-value.js';

/** The module's name of today, and the parts of both names. */
function partsOf({ module, name }: PickleGlobal) {
  const [root = '', ...rest] = module.split('.');
  const today = [renamedModules.get(root) ?? root, ...rest];
  return { module: today.join('.'), root: today[0]!, segments: name.split('.') };
}

const isStandard = (root: string) =>
  standardLibrary.has(root) ||
  (root.startsWith('_') && root !== '__main__' && !root.startsWith('__torch__'));

/** The last part of a name begins as classes do. */
const isClassLike = (last: string) => /^_*[A-Z]/.test(last);

/**
 * The only function that is called on other ones: a class's member, as Python 3.11 writes enums.
 */
const memberLookup = 'builtins.getattr';

/** Whether a name is that of {@link memberLookup}, under either of its modules. */
export function isMemberLookup(global: PickleGlobal): boolean {
  return `${partsOf(global).module}.${global.name}` === memberLookup;
}

/**
 * Why a file that so much as names a global is refused, in words that follow the name; undefined
 * for names that are only carried along. The rule:
 *
 * - Of the standard library only what `harmless` lists may be named, and of packages that exist to
 *   run or load code (`runningPackages`) nothing.
 * - Wherever it begins, a name must not lead through a module that gives access to the system
 *   (`torch.serialization` `os.system`), through an attribute of the interpreter (`__globals__`),
 *   or end in one of `runningNames`, which other modules import.
 * - All other names are of classes and functions of the model's own program. They are text here,
 *   and looking one up runs nothing but the import of an installed module.
 */
export function faultOfName(global: PickleGlobal): string | undefined {
  const { module, root, segments } = partsOf(global);
  if (isMemberLookup(global)) return undefined;
  if (rebuilders.has(`${module}.${global.name}`)) return undefined;
  for (const part of [...module.split('.').slice(1), ...segments]) {
    // Modules import others under names of their own: `_os`.
    if (systemModules.has(part.replace(/^_+/, ''))) return `leads to Python's ${part}`;
    if (/^__.*__$/.test(part)) return `leads into the interpreter (${part})`;
  }
  const last = segments.at(-1)!;
  if (isStandard(root)) {
    const known = harmless.get(module);
    if (known?.names === 'any' && !runningNames.has(last)) return undefined;
    if (known && known.names !== 'any' && known.names.has(global.name)) return undefined;
    if (root === 'builtins' && /^[A-Z]\w*(Error|Exception|Warning)$/.test(last)) return undefined;
    return "is of Python's standard library and none of the names in it that only hold data";
  }
  if (runningNames.has(last)) return 'runs code';
  for (let end = module.length; end > 0; end = module.lastIndexOf('.', end - 1))
    if (runningPackages.has(module.slice(0, end)))
      return `is of ${module.slice(0, end)}, which runs or loads code`;
  return undefined;
}

/** How a pickle has something built: by calling it, or by its `__new__` alone. */
export type Building = 'call' | 'new';

/**
 * Why a file that has a global called is refused, in words that follow the name. Of the standard
 * library what `harmless` lists may be called, elsewhere the functions in `rebuilders` and what is
 * named as a class (`CapWords`): of it, too, an object is only described. Any other function is
 * refused, as nobody here knows what it does. `__new__` alone needs a class whatever its name is.
 */
export function faultOfCall(global: PickleGlobal, how: Building): string | undefined {
  const { module, root, segments } = partsOf(global);
  if (rebuilders.has(`${module}.${global.name}`)) return undefined;
  const last = segments.at(-1)!;
  if (isStandard(root)) {
    const isKnown = harmless.get(module)?.calls.has(global.name);
    const isError = root === 'builtins' && /(Error|Exception|Warning)$/.test(last);
    return isKnown || isError ? undefined : 'is a function that is not known to only hold data';
  }
  if (how === 'new' || isClassLike(last) || last.startsWith('__pyx_unpickle_')) return undefined;
  return 'is a function that is not known to only hold data';
}
