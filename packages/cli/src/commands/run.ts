import { outputFile } from '@drover/node';
import { encodeNpz } from '@drover/numpy';
import { matchArrays, readArrayFile } from '../arrays.js';
import { cliDiagnostics } from '../diagnostics.js';
import type { Outcome } from '../main.js';
import { openSource } from '../open.js';
import { load } from '../runtimes.js';

interface RunOptions {
  readonly inputs?: readonly string[];
  readonly outputs?: string;
  readonly runtime?: string;
  readonly from?: string;
  readonly force?: boolean;
}

/** `drover run MODEL --inputs IN --outputs OUT`. */
export async function runCommand([path]: readonly string[], { inputs = [], outputs, runtime, from, force = false }: RunOptions): Promise<Outcome> {
  if (inputs.length === 0) throw cliDiagnostics.error('usage', { message: 'run needs --inputs.', origin: { file: path! } });
  const { source, format } = await openSource(path!, from);
  const arrays = new Map((await Promise.all(inputs.map(readArrayFile))).flatMap((each) => [...each]));
  const { id, loaded } = await load(source, format, runtime);
  try {
    const started = performance.now();
    const results = await loaded.run(matchArrays(loaded.inputs, arrays, 'in'));
    const seconds = (performance.now() - started) / 1000;
    if (outputs !== undefined) {
      const sink = outputFile(outputs, { force });
      const file = await sink.create(sink.main ?? 'outputs.npz');
      await file.write(encodeNpz(results));
      await file.close();
      await sink.commit();
    }
    const told = [...results].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
    return {
      diagnostics: [],
      document: { runtime: id, outputs: told, seconds },
      lines: told.map(({ name, dtype, shape }) => `${name}: ${dtype}[${shape.join(', ')}]`),
    };
  } finally {
    await loaded.dispose();
  }
}
