import { subjects } from './subjects.js';
import { sensitivityOf, tally, type Trial } from './sensitivity.js';

// All places of all fixtures, which takes an hour: DROVER_PLACES=20 npx jest sensitivity.
const places = Number(process.env['DROVER_PLACES'] ?? 1);
const seed = 8;

/** One export of each network; the others hold the same weights. */
const fixtures = subjects
  .flatMap(({ models }) => models)
  .filter(
    ({ id }, i, all) => all.findIndex((each) => each.id.split('/')[0] === id.split('/')[0]) === i,
  )
  // Its outputs take seconds; honest pairs of it are elsewhere. TF.js computes the other two wrong
  // itself: a MatrixBandPart of bool, which the verdict says.
  .filter(({ id }) => !/basic_pitch|tf-bert|tf-gpt2/.test(id));

describe('the verdict notices', () => {
  const all: Trial[] = [];

  it.each(fixtures.map((fixture) => [fixture.id, fixture] as const))(
    'what is done to %s, which agrees as it is',
    async (_, fixture) => {
      const { honest, trials } = await sensitivityOf(fixture, places, seed);
      expect(honest.verdict).toBe('agree');
      expect(trials.length).toBeGreaterThan(0);
      all.push(...trials);
    },
    600_000,
  );

  it('97 of 100 changes by one per cent, and each row and each rounding of all weights', () => {
    const counts = tally(all);
    const share = (kind: RegExp) => {
      const chosen = [...counts].filter(([name]) => kind.test(name)).map(([, count]) => count);
      const tried = chosen.reduce((sum, each) => sum + each.tried, 0);
      return chosen.reduce((sum, each) => sum + each.caught, 0) / tried;
    };
    const missed = all
      .filter(({ comparison }) => comparison.verdict === 'agree')
      .map(
        ({ model, kind, where, comparison, effect }) =>
          `${kind}: ${where} in ${model}, effect ${effect?.toFixed(2)}${comparison.judgement.outputs.some(({ asQuantised }) => asQuantised) ? ' as quantised' : ''}`,
      );
    if (process.env['DROVER_PLACES']) console.log(counts, missed);
    expect([missed, share(/ 1 %$/) >= 0.97]).toEqual([missed, true]);
    expect(share(/^row|^all/)).toBe(1);
    expect(share(/^axis/)).toBe(1);
    expect(share(/^epsilon × 10/)).toBeGreaterThan(0.8);
    expect(share(/ 10 %$/)).toBeGreaterThanOrEqual(0.97);
  });
});
