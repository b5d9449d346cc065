import {
  cell,
  dimsJoin,
  likeDtype,
  likeFirst,
  number,
  some,
  type Hint,
  type HintTable,
} from './hint.js';
import { joinDims } from './partial-type.js';

const gates: ReadonlyMap<unknown, number> = new Map([
  ['lstm', 4],
  ['gru', 3],
  ['rnn_relu', 1],
  ['rnn_tanh', 1],
]);

/** data [T, N, C], state [layers * directions, N, H]; C follows from the number of parameters. */
const rnn: Hint = (at) => {
  const [x, parameters, ...states] = at.inputs;
  const [y, ...last] = at.outputs;
  const size = number(at.attr('state_size'));
  const layers = number(at.attr('num_layers'));
  const mode = at.attr('mode');
  const count = gates.get(mode);
  if (
    size === undefined ||
    count === undefined ||
    layers === undefined ||
    number(at.attr('projection_size')) !== undefined
  )
    return false;
  const directions = at.attr('bidirectional') === true ? 2 : 1;
  const isState = (index: number) => index < (mode === 'lstm' ? 2 : 1);
  const news = [
    x!.ranked(3),
    y!.ranked(3),
    dimsJoin(x, 0, y, 0),
    dimsJoin(x, 1, y, 1),
    y!.dims![2]!.join(cell(size * directions)),
    likeDtype(at),
  ];
  for (const state of [
    ...states.filter((_, i) => isState(i)),
    ...last.filter((_, i) => isState(i)),
  ]) {
    news.push(
      state.ranked(3),
      dimsJoin(state, 1, x, 1),
      state.dims![0]!.join(cell(layers * directions)),
      state.dims![2]!.join(cell(size)),
      state.dtype.join(x!.dtype),
    );
  }
  const total = parameters!.dims?.[0]?.value;
  const rows = count * size;
  const rest = directions * rows * (layers * (size + 2) + (layers - 1) * size * directions);
  const features = total === undefined ? undefined : (total - rest) / (directions * rows);
  if (features !== undefined && Number.isInteger(features) && features > 0)
    news.push(x!.dims![2]!.join(cell(features)));
  return some(...news);
};

/** data [T, N, …] or [N, T, …], lengths [N]. */
const sequence =
  (result: 'same' | 'last'): Hint =>
  (at) => {
    const [x, lengths] = at.inputs;
    const y = at.outputs[0]!;
    const axis = number(at.attr('axis')) ?? 0;
    const news = [likeDtype(at)];
    if (result === 'same') news.push(likeFirst(at));
    else {
      if (x!.dims) news.push(y.ranked(x!.dims.length - 1));
      if (y.dims)
        news.push(
          x!.ranked(y.dims.length + 1),
          joinDims(
            y.dims,
            x!.dims!.filter((_, i) => i !== axis),
          ),
        );
    }
    if (at.attr('use_sequence_length') === true && lengths)
      news.push(lengths.ranked(1), dimsJoin(lengths, 0, x, 1 - axis));
    return some(...news);
  };

/** What recurrent networks and operators on sequences tell. */
export const recurrentHints: HintTable = {
  RNN: rnn,
  SequenceLast: sequence('last'),
  SequenceMask: sequence('same'),
  SequenceReverse: sequence('same'),
};
