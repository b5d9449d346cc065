export type { ProcessOptions } from './process-options.js';
export { runtimes } from './runtimes.js';
