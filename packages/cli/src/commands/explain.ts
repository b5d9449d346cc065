import { coreDiagnostics, type DiagnosticCatalogue } from '@drover/core';
import { graphdefDiagnostics } from '@drover/graphdef';
import { mxnetDiagnostics } from '@drover/mxnet';
import { nodeDiagnostics } from '@drover/node';
import { numpyDiagnostics } from '@drover/numpy';
import { onnxDiagnostics } from '@drover/onnx';
import { protobufDiagnostics } from '@drover/protobuf';
import { runtimeDiagnostics } from '@drover/runtimes';
import { tfjsDiagnostics } from '@drover/tfjs';
import { zipDiagnostics } from '@drover/zip';
import { cliDiagnostics } from '../diagnostics.js';
import type { Outcome } from '../outcome.js';

const catalogues: readonly DiagnosticCatalogue<string>[] = [
  cliDiagnostics,
  coreDiagnostics,
  graphdefDiagnostics,
  mxnetDiagnostics,
  nodeDiagnostics,
  numpyDiagnostics,
  onnxDiagnostics,
  protobufDiagnostics,
  runtimeDiagnostics,
  tfjsDiagnostics,
  zipDiagnostics,
];

/** `drover explain CODE`. */
export async function explainCommand([code]: readonly string[]): Promise<Outcome> {
  const [prefix, name] = code!.split('/', 2) as [string, string | undefined];
  const kind = catalogues.find((catalogue) => catalogue.prefix === prefix)?.kinds[name ?? ''];
  if (!kind)
    throw cliDiagnostics.error('usage', {
      message: `There is no diagnostic ${JSON.stringify(code)}.`,
      origin: { file: '' },
    });
  return { diagnostics: [], document: { code, ...kind }, lines: [kind.summary, kind.help] };
}
