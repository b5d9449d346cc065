import type { Reduction } from '../../typing/scatter-update.js';
import { oneOf, type Attr } from '../attr.js';

/** The attribute that says how an update meets the element that is there. */
export const reductionAttr = (): Attr<Reduction> => oneOf('none', 'add', 'mul', 'max', 'min');
