import type { Layout, Padding } from '../../typing/window.js';
import { bool, ints, oneOf, type Attr } from '../attr.js';

/** The attribute `layout` of spatial operators. */
export const layoutAttr = (): Attr<Layout> => oneOf('channelsFirst', 'channelsLast');

/** The attribute `padding` of window operators. */
export const paddingAttr = (): Attr<Padding> => oneOf('explicit', 'sameUpper', 'sameLower');

/** The attributes that pooling operators share. */
export const poolAttrs = () => ({
  layout: layoutAttr(),
  kernel: ints(),
  strides: ints(),
  dilations: ints(),
  padding: paddingAttr(),
  pads: ints(),
  ceil: bool(),
});
