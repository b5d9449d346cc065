import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { EngineModel, Start } from '../adapter.js';
import { EngineFailure, type Engine } from '../engine.js';
import type { ProcessOptions } from '../process-options.js';
import { packageFile } from './package-file.js';
import { piecesOf } from './pieces-of.js';
import type { EngineAnswer, EngineRequest } from './protocol.js';
import { RuntimeProcess } from './runtime-process.js';

/** Where a compiled module of this package is. */
export const built = (path: string): URL => packageFile(`dist/${path}`);

/**
 * Starts the engine of a module in a Node process of its own. Files are sent to it in pieces, so
 * that it gets what the rules about paths let through, from wherever the source has it.
 */
export function inProcess<Settings>(engine: URL, options: ProcessOptions): Start<Settings> {
  return async (model, subject) => {
    const child = fork(fileURLToPath(built('process/engine-process.js')), [], {
      serialization: 'advanced',
      // Runtimes talk. Standard input is what tells the process that this one is gone.
      stdio: ['pipe', 'ignore', 'pipe', 'ipc'],
      // Options of this Node, such as conditions, could make it load other modules.
      execArgv: [],
      // Ctrl+C in a terminal is for the parent, which may still have to tidy up.
      detached: true,
    });
    const running = new RuntimeProcess<EngineAnswer>(child, subject, options);
    child.on('message', (answer: EngineAnswer) => running.take(answer));
    try {
      const loaded = await running.ask('while it loaded the model', () =>
        sendModel(child, running, engine, model),
      );
      return engineOf(child, running, asked(loaded, 'loaded'));
    } catch (error) {
      await running.end();
      throw error;
    }
  };
}

function engineOf(
  child: ChildProcess,
  running: RuntimeProcess<EngineAnswer>,
  { inputs, outputs }: EngineAnswer & { type: 'loaded' },
): Engine {
  return {
    inputs,
    outputs,
    async run(given) {
      const answer = await running.ask('while it ran the model', () =>
        send(child, { type: 'run', inputs: [...given] }),
      );
      return asked(answer, 'outputs').outputs;
    },
    dispose: () => running.end(),
  };
}

/** The answer that was asked for. Throws the failure that came instead. */
function asked<Type extends EngineAnswer['type']>(
  answer: EngineAnswer,
  type: Type,
): EngineAnswer & { type: Type } {
  if (answer.type === type) return answer as EngineAnswer & { type: Type };
  const { kind, message, help } = answer as EngineAnswer & { type: 'failure' };
  throw new EngineFailure(kind, message, help);
}

async function sendModel(
  child: ChildProcess,
  running: RuntimeProcess<EngineAnswer>,
  engine: URL,
  { files, settings }: EngineModel<unknown>,
): Promise<void> {
  for (const { path, source } of files) {
    await send(child, { type: 'file', path, size: source.size });
    for await (const bytes of piecesOf(source)) {
      if (!running.isAlive) return;
      await send(child, { type: 'bytes', bytes });
      running.showLife();
    }
  }
  await send(child, { type: 'load', engine: engine.href, settings });
}

/** Resolves when the message has left; never where the process ends before, which is told alone. */
function send(child: ChildProcess, request: EngineRequest): Promise<void> {
  return new Promise((resolve) => {
    child.send(request, (error) => {
      if (error === null) resolve();
    });
  });
}
