import type { CheckpointForm, TensorFacts } from './checkpoint-forms.js';

/** A checkpoint, and what the frameworks had of it in each form. */
export interface VerifiedRow {
  /** The framework with its version, and how it saved. */
  readonly saved: string;
  readonly facts: TensorFacts;
  /** In the order of the forms. */
  readonly cells: readonly VerifiedCell[];
}

/** The tensors that a framework loaded as they should be. */
interface VerifiedCell {
  readonly there: TensorFacts;
  /** Those that the framework loaded that had saved the checkpoint; absent where none had. */
  readonly back?: TensorFacts;
}

/** A form, what loaded its files, and the types that it does not have. */
export interface VerifiedForm {
  readonly form: CheckpointForm;
  /** The framework with its version. */
  readonly by: string;
  readonly refused: readonly string[];
}

/** How many tensors of how many types. */
function counted(facts: TensorFacts): string {
  const all = Object.values(facts);
  return `${all.length} of ${new Set(all.map(({ dtype }) => dtype)).size}`;
}

function cellText({ there, back }: VerifiedCell): string {
  const isBack = back && counted(back) === counted(there);
  return `${counted(there)}${isBack ? ', ↩' : back ? `, ↩ ${counted(back)}` : ''}`;
}

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map(line).join('\n');

/** The page of what was verified: formats, directions, frameworks, tensors and types. */
export function checkpointsPage(
  rows: readonly VerifiedRow[],
  forms: readonly VerifiedForm[],
): string {
  return [
    '# Checkpoints',
    '',
    'Each framework saved a checkpoint of every type that it has, with NaN payloads, a scalar and a tensor without elements; Drover wrote it in every form; and the',
    'framework of that form loaded it. A cell says how many tensors of how many types it had then, bit for bit. ↩: the file was converted back, and the framework that had',
    'saved the checkpoint loaded all of them (a number stands there where tied tensors count again). What a form has no type for is refused by name. Written by a test',
    '(`DROVER_UPDATE=1 npm run test:live`), which holds all of it.',
    '',
    table(
      ['saved by', 'holds', ...forms.map(({ form }) => form.title)],
      rows.map(({ saved, facts, cells }) => [saved, counted(facts), ...cells.map(cellText)]),
    ),
    '',
    table(
      ['form', 'file', 'loaded by', 'types that it does not have'],
      forms.map(({ form, by, refused }) => [
        form.title,
        `\`${form.path}\``,
        `${by}: \`${form.call}\``,
        refused.join(', '),
      ]),
    ),
    '',
  ].join('\n');
}
