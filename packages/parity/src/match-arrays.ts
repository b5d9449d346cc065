import { isFloat, type Diagnostic, type Signature, type Tensor } from '@drover/core';
import { parityDiagnostics } from './diagnostics.js';

/** Arrays that a model's values take, with what there is to say about it. */
export interface MatchedArrays {
  readonly values: Map<string, Tensor>;
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Matches arrays with the values that a model declares: by name, by name with the prefix `in_` or
 * `out_`; what is left, the first that fits in type and shape, in the order of the names. An
 * archive may hold inputs and outputs: names that begin with the other side's prefix do not take
 * part. `file` is what messages name.
 */
export function matchArrays(
  declared: readonly Signature[],
  arrays: ReadonlyMap<string, Tensor>,
  side: 'in' | 'out',
  file: string,
): MatchedArrays {
  const other = side === 'in' ? 'out' : 'in';
  const isOther = (name: string) =>
    new RegExp(`^${other}(_|\\d|$)`).test(name) && !declared.some((value) => value.name === name);
  const left = new Map(
    [...arrays]
      .filter(([name]) => !isOther(name))
      .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })),
  );
  const values = new Map<string, Tensor>();
  const diagnostics: Diagnostic[] = [];
  const take = (name: string, key: string) => {
    values.set(name, left.get(key)!);
    left.delete(key);
  };
  for (const { name } of declared) {
    const bare = name.replace(/:\d+$/, '');
    const key = [name, `${side}_${name}`, bare, `${side}_${bare}`].find((candidate) =>
      left.has(candidate),
    );
    if (key !== undefined) take(name, key);
  }
  for (const signature of declared.filter(({ name }) => !values.has(name))) {
    const key = [...left.keys()].find((candidate) => fits(signature, left.get(candidate)!));
    if (key === undefined) continue;
    take(signature.name, key);
    // in0, in1, … say by themselves that they count.
    if (!/^(in|out)\d+$/.test(key)) {
      diagnostics.push(
        parityDiagnostics.diagnostic('array-by-order', {
          message: `${JSON.stringify(key)} is taken for ${JSON.stringify(signature.name)}.`,
          origin: { file },
        }),
      );
    }
  }
  for (const name of left.keys()) {
    diagnostics.push(
      parityDiagnostics.diagnostic('array-unused', {
        message: `Nothing in the model takes ${JSON.stringify(name)}.`,
        origin: { file },
      }),
    );
  }
  return { values, diagnostics };
}

function fits({ dtype, shape }: Signature, value: Tensor): boolean {
  if (dtype !== undefined && (dtype === 'string') !== (value.dtype === 'string')) return false;
  if (dtype !== undefined && isFloat(value.dtype) && !isFloat(dtype)) return false;
  return (
    shape === undefined ||
    (shape.length === value.shape.length &&
      shape.every((dim, axis) => typeof dim !== 'number' || dim === value.shape[axis]))
  );
}
