// The process of an engine: what `inProcess` starts. It serves one model until it is ended.
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import {
  EngineFailure,
  importPeer,
  messageOf,
  type Engine,
  type LoadEngine,
  type Peer,
} from '../engine.js';
import type { EngineAnswer, EngineRequest } from './protocol.js';

// Standard input ends with the parent, however that went. A thread watches it: a runtime that
// computes, or hangs, leaves this one no time.
const watch = `
  const { Socket } = require('node:net');
  new Socket({ fd: 0 }).on('close', () => process.kill(process.pid, 'SIGKILL')).resume();
`;
new Worker(watch, { eval: true }).unref();

// To import CommonJS, Node searches all of it for the names of its exports, which takes four times
// as long as to run TensorFlow.js.
const require = createRequire(import.meta.url);
const requirePeer: Peer = <T>(name: string, _: unknown, needed?: string) =>
  importPeer(name, async () => require(name) as T, needed);

const files: { readonly path: string; readonly bytes: Uint8Array }[] = [];
let filled = 0;
let engine: Engine | undefined;
let last: Promise<void> = Promise.resolve();

process.on('message', (request: EngineRequest) => {
  last = last.then(() => serve(request));
});

async function serve(request: EngineRequest): Promise<void> {
  if (request.type === 'file') {
    files.push({ path: request.path, bytes: new Uint8Array(request.size) });
    filled = 0;
  } else if (request.type === 'bytes') {
    files.at(-1)!.bytes.set(request.bytes, filled);
    filled += request.bytes.length;
  } else {
    const answer = await (request.type === 'load' ? load(request) : run(request)).catch(
      (error: unknown): EngineAnswer => ({
        type: 'failure',
        kind:
          error instanceof EngineFailure
            ? error.kind
            : request.type === 'load'
              ? 'refused'
              : 'failed',
        message: messageOf(error),
        help: error instanceof EngineFailure ? error.help : undefined,
      }),
    );
    process.send!(answer);
  }
}

async function load(request: EngineRequest & { type: 'load' }): Promise<EngineAnswer> {
  const module = (await import(request.engine)) as { readonly load: LoadEngine<unknown> };
  engine = await module.load(files.splice(0), request.settings, requirePeer);
  return { type: 'loaded', inputs: engine.inputs, outputs: engine.outputs };
}

async function run(request: EngineRequest & { type: 'run' }): Promise<EngineAnswer> {
  return { type: 'outputs', outputs: await engine!.run(new Map(request.inputs)) };
}
