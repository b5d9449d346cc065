/**
 * erf(x) by its series with all terms positive: 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!! (DLMF 7.6.2).
 */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++)
    sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * exponentialOfMinusSquare(x) * sum;
}

/**
 * erfc(x) for x >= 1 by its continued fraction (DLMF 7.9.1), from the tail: the depth that float64
 * needs falls with x².
 */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let k = Math.ceil(180 / (x * x)) + 10; k >= 1; k--) fraction = x + k / 2 / fraction;
  return exponentialOfMinusSquare(x) / (Math.sqrt(Math.PI) * fraction);
}

/**
 * e^(-x²) without the error of rounding x² first: x is split into a short high part, whose square
 * is exact, and the rest.
 */
function exponentialOfMinusSquare(x: number): number {
  const high = Math.fround(x);
  return Math.exp(-high * high) * Math.exp((high - x) * (high + x));
}

/** The error function, to a few units in the last place of float64. */
export function erf(x: number): number {
  const magnitude = Math.abs(x);
  if (magnitude > 6) return Math.sign(x);
  return magnitude > 2 ? Math.sign(x) * (1 - erfcFraction(magnitude)) : erfSeries(x);
}

/** 1 - erf(x), accurate in its small tail as well. */
export function erfc(x: number): number {
  if (x > 28) return 0;
  return x > 1 ? erfcFraction(x) : 1 - erf(x);
}
