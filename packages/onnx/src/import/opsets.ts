import type { ModelProto } from '../schema/onnx.js';
import { onnxDiagnostics } from '../diagnostics.js';

/**
 * Oldest and newest versions of the default operator set that can be read: the newest is the newest
 * whose operators were compared with the rules.
 */
const [oldestOpset, newestOpset] = [7, 28];

/** Throws `onnx/opset` unless the default operator set is of a version that can be read. */
export function checkOpset(opsets: ReadonlyMap<string, number>, user: string, file: string): void {
  const opset = opsets.get('');
  if (opset !== undefined && opset >= oldestOpset && opset <= newestOpset) return;
  const what =
    opset === undefined
      ? `${user} does not say which operator set it uses`
      : `${user} uses operator set ${opset}`;
  throw onnxDiagnostics.error('opset', {
    message: `${what}; versions ${oldestOpset} to ${newestOpset} can be read.`,
    origin: { file },
  });
}

/** Operator set versions by domain. The default domain has two spellings. */
export function opsetVersions(imports: ModelProto['opsetImport']): ReadonlyMap<string, number> {
  return new Map(
    (imports ?? []).map(({ domain, version }) => [
      domain === 'ai.onnx' ? '' : (domain ?? ''),
      Number(version ?? 0),
    ]),
  );
}
