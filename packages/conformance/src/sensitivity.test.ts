import { rules } from '@drover/parity';
import { subjects } from './subjects.js';
import { sensitivityOf, tally, type Trial } from './sensitivity.js';

// All places of all fixtures, which takes half an hour: DROVER_PLACES=20 npx jest sensitivity.
const full = process.env['DROVER_PLACES'];
const places = Number(full ?? 1);
const seed = 8;

/** One export of each network; the others hold the same weights. */
const fixtures = subjects
  .flatMap(({ models }) => models)
  .filter(
    ({ id }, i, all) => all.findIndex((each) => each.id.split('/')[0] === id.split('/')[0]) === i,
  )
  // Its outputs take seconds; honest pairs of it are elsewhere. TF.js computes the other two wrong
  // itself: a MatrixBandPart of bool, which the verdict says.
  .filter(({ id }) => !/basic_pitch|tf-bert|tf-gpt2/.test(id))
  // These take as long as all others together.
  .filter(({ id }) => full || !/unet|lstm|recurrent|mobilenet_v2/.test(id));

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
    full ? 3_600_000 : 600_000,
  );

  it('97 of 100 changes by one per cent, and each row and each rounding of all weights', () => {
    const share = (kind: RegExp, trials = all) => {
      const chosen = [...tally(trials)]
        .filter(([name]) => kind.test(name))
        .map(([, count]) => count);
      const tried = chosen.reduce((sum, each) => sum + each.tried, 0);
      return chosen.reduce((sum, each) => sum + each.caught, 0) / tried;
    };
    const missed = all.flatMap(({ model, kind, where, effect }) =>
      effect === undefined ? [] : [`${kind}: ${where} in ${model}, effect ${effect.toFixed(2)}`],
    );
    if (full) console.log(tally(all), missed);
    for (const { effect = 0 } of all) expect(effect).toBeLessThan(rules.expectedMultiple);
    expect([missed, share(/ 1 %$/) >= 0.97]).toEqual([missed, true]);
    expect(share(/^row|^all/)).toBe(1);
    expect(share(/^axis/)).toBe(1);
    // An epsilon of 1e-12 moves no output by more than its own rounding, whatever it is scaled by.
    const felt = all.filter(({ effect = Infinity }) => effect > 1);
    expect(share(/^epsilon × 10/, felt)).toBeGreaterThan(0.8);
    expect(share(/ 10 %$/)).toBeGreaterThanOrEqual(0.97);
  });
});
