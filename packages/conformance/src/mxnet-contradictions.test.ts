import { DroverError, openModel, Report } from '@drover/core';
import { mxnet } from '@drover/mxnet';
import { contradictions, sourceOf } from './mxnet-contradictions.js';

describe('what an MXNet model says in two ways', () => {
  it.each(contradictions.map((each) => [each.what, each] as const))('%s', async (_, given) => {
    const { error, finding, says = /./ } = given;
    const report = new Report();
    const thrown: unknown = await openModel(await sourceOf(given), mxnet, { report }).then(
      () => undefined,
      (each: unknown) => each,
    );
    if (thrown !== undefined) expect(thrown).toBeInstanceOf(DroverError);
    const told = [...((thrown as DroverError | undefined)?.diagnostics ?? report.diagnostics)];
    expect(told.map(({ code }) => code)).toEqual([error ?? finding ?? []].flat());
    expect(thrown !== undefined).toBe(error !== undefined);
    for (const { message } of told) expect(message).toMatch(says);
  });
});
