import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { DroverError, type Diagnostic } from '@drover/core';
import { printJson, tell } from './console.js';
import { cliDiagnostics } from './diagnostics.js';
import { exitCodeOf, exitCodes } from './exit-code.js';
import { version } from './version.js';

/** What every command gives: findings, fields of its document, lines for people, and whether the check that it made failed. */
export interface Outcome {
  readonly diagnostics: readonly Diagnostic[];
  readonly document: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
  readonly hasFailed?: boolean;
}

type Run = (args: readonly string[], options: Readonly<Record<string, unknown>>) => Promise<Outcome>;

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new InvalidArgumentError('It must be a whole number.');
  return value;
}

/** Runs a command and tells what came of it: findings on standard error, the result on standard output, the verdict as exit code. */
async function execute(run: Run, args: readonly string[], options: Readonly<Record<string, unknown>>): Promise<void> {
  const isJson = options['json'] === true;
  try {
    const { diagnostics, document, lines, hasFailed } = await run(args, options);
    if (isJson) printJson({ drover: version, ...document, diagnostics });
    else {
      tell(diagnostics);
      for (const line of lines) process.stdout.write(`${line}\n`);
    }
    process.exitCode = hasFailed ? exitCodes.checkFailed : exitCodes.done;
  } catch (error) {
    const failure =
      error instanceof DroverError
        ? error
        : cliDiagnostics.error('internal', { message: error instanceof Error ? (error.stack ?? error.message) : String(error), origin: { file: args[0] ?? '' } });
    if (isJson) printJson({ drover: version, diagnostics: failure.diagnostics });
    else tell(failure.diagnostics);
    process.exitCode = exitCodeOf(failure.failure);
  }
}

/** The commands and their options. Each command's code is loaded when it runs, so that --help answers at once. */
function buildProgram(): Command {
  const program = new Command('drover').description('Carry neural-network models between frameworks and prove that they still compute the same.').version(version);
  const command = (usage: string, summary: string, load: () => Promise<Run>): Command =>
    program
      .command(usage)
      .summary(summary)
      .description(summary)
      .option('--json', 'print one JSON document')
      .action(async (...given: unknown[]) => {
        const self = given.at(-1) as Command;
        await execute(await load(), self.processedArgs.filter((each) => typeof each === 'string'), self.opts());
      });
  command('convert <in> <out>', 'read a model, convert it, write it', async () => (await import('./commands/convert.js')).convertCommand)
    .option('--from <format>', 'format of the input; found by its content when absent')
    .option('--to <format>', 'format of the output; told by its name when absent')
    .option('--params <file>', 'file that holds the weights')
    .option('--opset <n>', 'ONNX operator set version to write', whole)
    .addOption(new Option('--input-layout <layout>', 'layout of the image inputs of the result').choices(['nchw', 'nhwc']))
    .addOption(new Option('--quantize <type>', 'storage of float weights (TF.js)').choices(['f16', 'u8', 'u16']))
    .option('--shard-size <bytes>', 'largest size of a weight file (TF.js)', whole)
    .option('--verify', 'run both sides and compare')
    .option('--dry-run', 'find out what would be refused, write nothing')
    .option('--force', 'replace files that are there');
  command('inspect <model>', 'what a model is, and what each other format would refuse', async () => (await import('./commands/inspect.js')).inspectCommand)
    .option('--from <format>', 'format of the model; found by its content when absent')
    .option('--params <file>', 'file that holds the weights');
  command('run <model>', 'run a model on arrays', async () => (await import('./commands/run.js')).runCommand)
    .option('--inputs <files...>', 'arrays to feed: .npz, .npy or ONNX .pb')
    .option('--outputs <file>', 'where to write the results (.npz)')
    .option('--runtime <name>', 'reference, onnxruntime, tfjs or mxnet; the format has one of its own')
    .option('--from <format>', 'format of the model; found by its content when absent')
    .option('--force', 'replace a file that is there');
  command('parity <a> [b]', 'do two models compute the same?', async () => (await import('./commands/parity.js')).parityCommand)
    .option('--inputs <files...>', 'arrays to feed; made from the seed when absent')
    .option('--expected <file>', 'outputs to hold A to, where there is no B')
    .option('--seed <n>', 'seed of the inputs that are made', whole);
  command('explain <code>', 'what a diagnostic means', async () => (await import('./commands/explain.js')).explainCommand);
  return program;
}

/** The drover command. */
export async function main(args: readonly string[]): Promise<void> {
  const program = buildProgram();
  for (const each of [program, ...program.commands]) each.exitOverride().configureOutput({ outputError: () => {} });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    tell([cliDiagnostics.diagnostic('usage', { message: error.message.replace(/^error: /, ''), origin: { file: '' } })]);
    process.exitCode = exitCodes.usage;
  }
}
