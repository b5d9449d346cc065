#!/usr/bin/env node
import { main } from '../dist/main.js';

// Whoever reads the output may stop reading it, as `head` does.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(2);
});
await main(process.argv.slice(2));
