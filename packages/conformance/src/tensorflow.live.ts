import { conversions, describeConversions, describeRewritings, rewritings } from './models.js';
import { tensorflow } from './tensorflow.js';

const real = tensorflow(process.env['DROVER_TENSORFLOW_PYTHON']!);
const running = new Map([['tfjs', real]]);

afterAll(() => real.end());

describe('in real TensorFlow', () => {
  describeConversions(
    conversions.filter(({ to }) => to.id === 'tfjs'),
    running,
  );
  describeRewritings(
    rewritings.filter(({ subject }) => subject.id === 'tfjs'),
    running,
  );
});
