import { formats } from '@drover/formats';
import { runtimes } from '@drover/runtimes';
import { Command, CommanderError, Option } from 'commander';
import { checkOptions } from './check-options.js';
import { formatOptions, type Side } from './format-options.js';
import type { Run } from './outcome.js';
import { version } from './version.js';

const fromOption = '--from <format>';
const ids = formats.map(({ about }) => about.id).join(', ');
const fromSummary = `format of the model: ${ids}; found by its content when absent`;
const linksOption = '--allow-links';
const linksSummary =
  'also read weights through hard links, and links that leave the folder of the model';
const paramsOption = '--params <file>';
const paramsSummary = 'file that holds the weights; found beside the model when absent';

const collect = (value: string, before: readonly string[] = []) => [...before, value];

/** What an output can be called: `*.onnx (ONNX)`. */
const outputs = formats
  .map(({ about }) => `${about.fileNames.any.join(' or ')} (${about.title})`)
  .join(', ');

/**
 * The commands and their options. Each command's code is loaded when it runs, so that --help
 * answers at once.
 */
function buildProgram(): Command {
  const program = new Command('drover')
    .description(
      'Carry neural-network models between frameworks and prove that they still compute the same.',
    )
    .version(version)
    .enablePositionalOptions()
    .addHelpText(
      'after',
      '\nExit codes: 0 done; 1 a check failed; 2 usage, or a file that cannot be read or written; 3 not convertible; 4 malformed input.',
    );
  const command = (
    usage: string,
    summary: string,
    load: () => Promise<Run>,
    group: Command = program,
  ) =>
    group
      .command(usage)
      .summary(summary)
      .description(summary)
      .option('--json', 'print one JSON document')
      .action(async (...given: unknown[]) => {
        const self = given.at(-1) as Command;
        const { execute } = await import('./execute.js');
        await execute(
          await load(),
          self.processedArgs.filter((each) => typeof each === 'string'),
          self.opts(),
        );
      });
  const withOptions = (target: Command, ...sides: readonly Side[]) => {
    for (const option of sides.flatMap(formatOptions)) target.addOption(option);
    return target;
  };
  const withChecks = (target: Command) => {
    for (const option of checkOptions()) target.addOption(option);
    return target;
  };
  /** How a command may be told what a model is and where its weights lie. */
  const withSource = (target: Command) =>
    target
      .option(fromOption, fromSummary)
      .option(paramsOption, paramsSummary)
      .option(linksOption, linksSummary);
  const convert = command(
    'convert <in> <out>',
    'read a model, convert it, write it',
    async () => (await import('./commands/convert.js')).convertCommand,
  )
    .option('--to <format>', `format of the output: ${ids}; told by its name when absent`)
    .option('--entry <name>', 'graph to write, where the model holds several')
    .option('--rewrite', 'go through the representation within one format, too')
    .option('--verify', 'run both sides and compare; the options of parity tell how')
    .option('--dry-run', 'find out what would be refused, write nothing')
    .option(
      '--only <pattern>',
      'checkpoints: tensors of these names, * standing for anything; may be given again',
      collect,
    )
    .option(
      '--rename <old=new>',
      'checkpoints: other names, * standing for anything that is kept; may be given again',
      collect,
    )
    .option('--dtype <type>', 'checkpoints: the type that floats are stored in')
    .option('--force', 'replace the model that is there')
    .addHelpText('after', `\nOUT is ${outputs}, a folder with --to, or - with --to.`);
  withChecks(withOptions(withSource(convert), 'read', 'write'));
  const inspect = command(
    'inspect <model>',
    'what a model is, and what each other format would refuse',
    async () => (await import('./commands/inspect.js')).inspectCommand,
  );
  withOptions(withSource(inspect), 'read');
  const tensors = command(
    'tensors <file>',
    'the tensors that a model or a checkpoint holds',
    async () => (await import('./commands/tensors.js')).tensorsCommand,
  )
    .option(
      '--only <pattern>',
      'those of these names, * standing for anything; may be given again',
      collect,
    )
    .option('--statistics', 'read the elements, and tell their range, mean, zeros and NaN');
  withOptions(withSource(tensors), 'read');
  const weights = program
    .command('weights')
    .summary('carry weights into a model, or out of it')
    .description('carry weights into a model, or out of it');
  /** How a command may be told what of the weights is whose, and what may be left. */
  const withMatching = (target: Command) =>
    withSource(target)
      .option('--rules <file>', 'YAML that says which layer is whose, where nothing else tells')
      .option(
        '--allow-missing <pattern>',
        'tensors that may keep what they hold; may be given again',
        collect,
      )
      .option(
        '--allow-extra <pattern>',
        'tensors that may be left out; may be given again',
        collect,
      );
  const apply = command(
    'apply <new> <out>',
    'fill a model of any format with the tensors of a checkpoint',
    async () => (await import('./commands/weights.js')).applyCommand,
    weights,
  )
    .requiredOption('--onto <model>', 'the model or checkpoint that is filled; it is not changed')
    .option('--like <checkpoint>', 'the weights that the model holds now, under the names of NEW')
    .option('--tensor-map <file>', 'JSON of convert or weights that says which tensor is whose')
    .option('--epsilon <number>', 'of batch normalisations that are computed into other layers')
    .option('--to <format>', `format of the output: ${ids}; that of the model when absent`)

    .option('--force', 'replace the model that is there')
    .addHelpText(
      'after',
      '\nExample: drover weights apply finetuned.pth --onto web/model.json web-new/',
    );
  withOptions(withMatching(apply), 'read', 'write');
  const extract = command(
    'extract <model> <out>',
    'take the weights of a model out, under the names of a checkpoint',
    async () => (await import('./commands/weights.js')).extractCommand,
    weights,
  )
    .requiredOption('--like <checkpoint>', 'names, layouts and types of what is written')
    .option('--to <format>', `format of the output: ${ids}; told by its name when absent`)

    .option('--force', 'replace the checkpoint that is there')
    .addHelpText(
      'after',
      '\nExample: drover weights extract web/model.json --like model.pth out.safetensors',
    );
  withOptions(withMatching(extract), 'read', 'write');
  command(
    'run <model>',
    'run a model on arrays',
    async () => (await import('./commands/run.js')).runCommand,
  )
    .option('--inputs <files...>', 'arrays to feed: .npz, .npy or ONNX .pb')
    .option('--outputs <file>', 'where to write the results: .npz, or - for standard output')
    .addOption(
      new Option('--runtime <name>', "what runs it; the format's own runtime when absent").choices(
        runtimes.map(({ id }) => id),
      ),
    )
    .option(fromOption, fromSummary)
    .option(linksOption, linksSummary)
    .option('--force', 'replace a file that is there');
  const parity = command(
    'parity <a> [b]',
    'do two models compute the same?',
    async () => (await import('./commands/parity.js')).parityCommand,
  )
    .option(
      '--expected <file>',
      'outputs to hold A to, where there is no B: .npz, .npy or ONNX .pb',
    )
    .option(linksOption, linksSummary);
  withChecks(parity);
  command(
    'explain <code>',
    'what a diagnostic means',
    async () => (await import('./commands/explain.js')).explainCommand,
  );
  return program;
}

/**
 * The drover command: parses its arguments, runs it, tells what came of it and sets the exit code
 * of the process.
 */
export async function main(args: readonly string[]): Promise<void> {
  const program = buildProgram();
  for (const each of [program, ...program.commands.flatMap((one) => [one, ...one.commands])])
    each.exitOverride().configureOutput({ outputError: () => {} });
  try {
    await program.parseAsync(args, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return;
    const { failUsage } = await import('./execute.js');
    const isBare = error.code === 'commander.help';
    failUsage(isBare ? 'No command is given.' : asSentence(error.message), args.includes('--json'));
  }
}

/** `error: unknown option '--x'` becomes `Unknown option '--x'.` */
function asSentence(message: string): string {
  const text = message.replace(/^error: /, '').replace(/\s*\n\s*/g, ' ');
  return `${text[0]!.toUpperCase()}${text.slice(1)}${/[.)]$/.test(text) ? '' : '.'}`;
}
