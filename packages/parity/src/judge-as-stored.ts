import { DroverError, type Graph, type Tensor } from '@drover/core';
import { constantsOf } from './constants.js';
import { errorOf } from './error-size.js';
import { judge, type Evidence, type Judgement, type OutputJudgement } from './judge.js';
import { consultOracle, type Oracle } from './oracle.js';
import type { Pair } from './pairing.js';
import { luck, rules as defaults, type Rules } from './rules.js';
import { storageStep } from './storage-step.js';
import { worstOf } from './verdict.js';

/** A judgement by the weights of the first model, and what it is made of. */
export interface Judged {
  readonly names: readonly string[];
  readonly judgement: Judgement;
  readonly evidence: readonly Evidence[];
  readonly rules: Partial<Rules>;
}

/** Both models, and the inputs of every run as the second takes them. */
export interface Models {
  readonly first: Graph;
  readonly second: Graph;
  readonly inputs: readonly ReadonlyMap<string, Tensor>[];
  readonly pairs: readonly Pair[];
  /** What messages name. */
  readonly file: string;
}

/**
 * What a judgement becomes where one of the models stores its weights more coarsely than the other:
 * an output agrees as quantised when the target does what its own weights say, as sharply as ever,
 * and when these lead no further from the source than weights do that are off by up to half a step
 * of their storage.
 */
export async function judgeAsStored(judged: Judged, models: Models): Promise<Judgement> {
  const { names, judgement, evidence, rules } = judged;
  const { first, second } = models;
  const coarse = [second, first].find((graph) => constantsOf(graph).some(storageStep));
  if (!coarse) return judgement;
  const runs: { own: Oracle; stored: Oracle }[] = [];
  try {
    for (const inputs of models.inputs) {
      const consult = async (storage?: typeof storageStep) =>
        renamedOracle(
          await consultOracle(
            second,
            inputs,
            models.pairs.map((pair) => pair.second),
            models.file,
            storage,
          ),
          models.pairs,
        );
      const own = await consult();
      runs.push({ own, stored: coarse === second ? await consult(storageStep) : own });
    }
  } catch (error) {
    if (!(error instanceof DroverError)) throw error;
    return judgement;
  }
  const byOwn = await judge(
    names,
    evidence.map(({ target }, i) => ({ target, oracle: runs[i]!.own })),
    rules,
  );
  const { expectedMultiple } = { ...defaults, ...rules };
  const outputs = judgement.outputs.map((output): OutputJudgement => {
    const own = byOwn.outputs.find(({ name }) => name === output.name);
    if (output.agree || !own?.agree) return output;
    const limits = runs.map(({ stored }) => {
      const { rms, max, count } = stored.expected.get(output.name)!;
      const by = expectedMultiple * luck(count);
      return { rms: rms * by, max: max * by };
    });
    const isWithin = evidence.every(({ source, oracle }, i) => {
      const exact = oracle?.outputs.get(output.name) ?? source?.get(output.name);
      const said = runs[i]!.own.outputs.get(output.name);
      if (!exact || !said) return false;
      const off = errorOf(said, exact);
      return off.rms <= limits[i]!.rms && off.max <= limits[i]!.max;
    });
    if (!isWithin) return output;
    const tolerance = limits[0]!;
    return {
      ...output,
      verdict: 'agree',
      agree: true,
      reason: null,
      asQuantised: true,
      tolerance,
      bound: tolerance,
    };
  });
  return { verdict: worstOf(outputs.map(({ verdict }) => verdict)), outputs };
}

/** An oracle of the second model under the names of the first. */
function renamedOracle(oracle: Oracle, pairs: readonly Pair[]): Oracle {
  const rename = <T>(all: ReadonlyMap<string, T>) =>
    new Map(
      pairs.flatMap(({ first, second }) => {
        const value = all.get(second);
        return value === undefined ? [] : [[first, value] as const];
      }),
    );
  return {
    ...oracle,
    outputs: rename(oracle.outputs),
    expected: rename(oracle.expected),
    another: async (seed, amplitude) => rename(await oracle.another(seed, amplitude)),
  };
}
