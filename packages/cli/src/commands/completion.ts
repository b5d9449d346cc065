import type { Command } from 'commander';
import { cliDiagnostics } from '../diagnostics.js';
import type { Outcome } from '../outcome.js';

interface Words {
  readonly command: string;
  readonly options: readonly string[];
}

const scripts: Readonly<Record<string, (all: readonly Words[]) => string[]>> = {
  bash: (all) => [
    '_drover() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} words=""',
    '  if [ "$COMP_CWORD" -eq 1 ]; then',
    `    COMPREPLY=($(compgen -W "${all.map(({ command }) => command).join(' ')}" -- "$current")); return`,
    '  fi',
    '  case ${COMP_WORDS[1]} in',
    ...all.map(({ command, options }) => `    ${command}) words="${options.join(' ')}" ;;`),
    '  esac',
    '  COMPREPLY=($(compgen -W "$words" -- "$current") $(compgen -f -- "$current"))',
    '}',
    'complete -o filenames -F _drover drover',
  ],
  zsh: (all) => [
    '#compdef drover',
    '_drover() {',
    `  if (( CURRENT == 2 )); then compadd ${all.map(({ command }) => command).join(' ')}; return; fi`,
    '  case $words[2] in',
    ...all.map(({ command, options }) => `    ${command}) [[ $PREFIX == -* ]] && compadd -- ${options.join(' ')} ;;`),
    '  esac',
    '  _files',
    '}',
    'compdef _drover drover',
  ],
  fish: (all) => [
    ...all.map(({ command }) => `complete -c drover -n __fish_use_subcommand -a ${command}`),
    ...all.flatMap(({ command, options }) =>
      options.map((option) => `complete -c drover -n '__fish_seen_subcommand_from ${command}' -l ${option.slice(2)}`),
    ),
  ],
};

/** `drover completion SHELL`: a script that completes the commands and options of `program`, for the shell to read. */
export function completionCommand(program: Command): (args: readonly string[]) => Promise<Outcome> {
  return async ([shell]) => {
    const script = Object.hasOwn(scripts, shell!) ? scripts[shell!] : undefined;
    if (!script)
      throw cliDiagnostics.error('usage', {
        message: `There is no completion for ${JSON.stringify(shell)}; there is for ${Object.keys(scripts).join(', ')}.`,
        origin: { file: '' },
      });
    const all = program.commands.map((command) => ({
      command: command.name(),
      options: [...command.options.map(({ long }) => long!), '--help'],
    }));
    const lines = script(all);
    return { diagnostics: [], document: { shell, script: lines.join('\n') }, lines };
  };
}
