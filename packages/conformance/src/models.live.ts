import { mxnet } from '@drover/runtimes/mxnet';
import { conversions, describeConversions, describeRewritings, rewritings } from './models.js';

const real = new Map([['mxnet', mxnet()]]);
const isOurs = ({ id }: { readonly id: string }) => id === 'mxnet';

describe('in real MXNet', () => {
  describeConversions(
    conversions.filter(({ from, to }) => isOurs(from) || isOurs(to)),
    real,
  );
  describeRewritings(
    rewritings.filter(({ subject }) => isOurs(subject)),
    real,
  );
});
