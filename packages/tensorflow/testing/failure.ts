import { DroverError } from '@drover/core';

/** The error that work ends with. */
export async function failureOf(work: Promise<unknown>): Promise<DroverError> {
  const error = await work.catch((thrown: unknown) => thrown);
  if (error instanceof DroverError) return error;
  throw new Error('It did not end with a typed error', { cause: error });
}

/** The codes of the error that work ends with. */
export const codesOf = async (work: Promise<unknown>): Promise<readonly string[]> =>
  (await failureOf(work)).diagnostics.map(({ code }) => code);
