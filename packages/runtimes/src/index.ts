export { runtimes } from './runtimes.js';
