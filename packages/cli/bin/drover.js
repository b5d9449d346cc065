#!/usr/bin/env node
import module from 'node:module';
import { setFlagsFromString } from 'node:v8';

// The heap is small, and tensors lie outside of it: to mark it ahead of time, whenever tensors come
// and go, takes a sixth of the time of a comparison; at once it takes milliseconds.
setFlagsFromString('--no-incremental-marking');
// Node 22 and newer keep what they compiled for the next time.
module.enableCompileCache?.();
const { main } = await import('../bundle/main.js');

// Whoever reads the output may stop reading it, as `head` does.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(2);
});
await main(process.argv.slice(2));
