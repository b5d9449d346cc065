import { bytesOf, openContent, Report, sizeOf, type StoredTensor } from '@drover/core';
import { isNamedBy } from '@drover/weights';
import { cliDiagnostics } from '../diagnostics.js';
import { open, type OpenOptions } from '../open.js';
import { optionValues } from '../option-values.js';
import type { Outcome } from '../outcome.js';
import { statisticsOf, type Statistics } from '../statistics.js';

interface TensorsOptions extends OpenOptions {
  readonly only?: readonly string[];
  readonly statistics?: boolean;
}

/** `drover tensors FILE`. */
export async function tensorsCommand(
  [path]: readonly string[],
  options: TensorsOptions,
): Promise<Outcome> {
  const { only, statistics = false } = options;
  const { source, format, params } = await open(path!, options);
  const report = new Report();
  const { store } = await openContent(source, format, {
    report,
    params,
    options: optionValues(format, 'read', { ...options }),
  });
  const chosen = [...store].filter(
    ({ name, aliases }) => !only || [name, ...aliases].some((each) => isNamedBy(each, only)),
  );
  if (only && chosen.length === 0)
    throw cliDiagnostics.error('usage', {
      message: `No tensor of ${path} is called ${only.map((each) => JSON.stringify(each)).join(' or ')}.`,
      origin: { file: path! },
    });
  const found = new Map<StoredTensor, Statistics>();
  if (statistics)
    for (const tensor of chosen) {
      const known = await statisticsOf(tensor.weight);
      if (known) found.set(tensor, known);
    }
  const elements = chosen.reduce((sum, { weight }) => sum + sizeOf(weight.shape), 0);
  const bytes = chosen.reduce((sum, tensor) => sum + sizeInBytes(tensor), 0);
  return {
    diagnostics: report.diagnostics,
    document: {
      format: format.id,
      tensors: chosen.map((tensor) => {
        const { name, weight, role, aliases } = tensor;
        const known = found.get(tensor);
        return {
          name,
          dtype: weight.dtype,
          shape: [...weight.shape],
          bytes: sizeInBytes(tensor),
          role,
          aliases: [...aliases],
          ...(known && { statistics: known }),
        };
      }),
      metadata: Object.fromEntries(store.metadata),
    },
    lines: [
      ...chosen.map((tensor) => lineOf(tensor, found.get(tensor))),
      `${chosen.length.toLocaleString('en')} tensors, ${elements.toLocaleString('en')} elements, ${bytes.toLocaleString('en')} bytes`,
    ],
  };
}

const sizeInBytes = ({ weight }: StoredTensor) => bytesOf(weight.dtype, sizeOf(weight.shape));

function lineOf({ name, weight, role, aliases }: StoredTensor, known?: Statistics): string {
  const also = aliases.length > 0 ? `, also ${aliases.join(', ')}` : '';
  const what = `${name}: ${weight.dtype}[${weight.shape.join(', ')}] ${role}${also}`;
  if (!known) return what;
  const number = (value: number | null) => (value === null ? '–' : value.toPrecision(4));
  const counts = Object.entries({ zeros: known.zeros, NaN: known.nan, infinite: known.infinite })
    .filter(([, count]) => count > 0)
    .map(([of, count]) => `, ${count.toLocaleString('en')} ${of}`);
  return `${what}; ${number(known.least)} to ${number(known.greatest)}, mean ${number(known.mean)}, deviation ${number(known.deviation)}${counts.join('')}`;
}
