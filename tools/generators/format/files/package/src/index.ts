export { __name__ } from './format.js';
export { __name__Diagnostics } from './diagnostics.js';
