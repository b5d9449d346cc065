import { coreDiagnostics } from '../diagnostics/core-diagnostics.js';
import type { ValueType } from '../tensor/value-type.js';
import { couldEqual } from './same-type.js';

/** Throws `core/invalid-shape`: the body of `op` does not fit. */
export function invalidBody(op: string, message: string): never {
  throw coreDiagnostics.error('invalid-shape', {
    message: `The body of ${op} does not fit: ${message}`,
    origin: { file: '', op },
  });
}

/** What a body declares of one of its inputs. As text it is its name. */
export interface Parameter extends ValueType {
  toString(): string;
}

/**
 * Checks that what an operator passes to a body can be what the body's parameter declares. Throws
 * `core/invalid-shape`.
 */
export function checkParameter(
  op: string,
  parameter: Parameter | undefined,
  passed: ValueType,
): void {
  if (!parameter) invalidBody(op, 'a parameter is missing.');
  const shapesFit =
    !parameter.shape ||
    !passed.shape ||
    (parameter.shape.length === passed.shape.length &&
      parameter.shape.every((dim, i) => couldEqual(dim, passed.shape![i])));
  if (parameter.dtype !== passed.dtype || !shapesFit) {
    invalidBody(
      op,
      `its parameter ${parameter} is passed ${passed.dtype}[${passed.shape?.map(String).join(', ') ?? '…'}].`,
    );
  }
}
