import type { TensorRole } from '@drover/core';

const optimizer = /^(optim\w*|\w+_optim(izers?)?)$/i;
const runningStatistic = /(^|\.)(running_mean|running_var|num_batches_tracked)$/;

/** What a tensor is for, by the keys that lead to it. */
export function roleOf(path: readonly string[]): TensorRole {
  if (path.slice(0, -1).some((key) => optimizer.test(key))) return 'optimizer';
  return runningStatistic.test(path.at(-1) ?? '') ? 'buffer' : 'parameter';
}
