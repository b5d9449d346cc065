/** erf(x) near 0, by its Maclaurin series with all terms positive (Kummer): 2/√π e^(-x²) Σ 2ⁿ x^(2n+1) / (2n+1)!!. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > Math.abs(sum) * 1e-17; n++) sum += term *= (2 * x * x) / (2 * n + 1);
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** erfc(x) for x >= 2, by its continued fraction (Lentz's evaluation from the tail is enough: the depth is fixed). */
function erfcFraction(x: number): number {
  let fraction = x;
  for (let k = 120; k >= 1; k--) fraction = x + k / 2 / fraction;
  return exponentialOfMinusSquare(x) / (Math.sqrt(Math.PI) * fraction);
}

/** e^(-x²) without the error of rounding x² first: x is split into a short high part, whose square is exact, and the rest. */
function exponentialOfMinusSquare(x: number): number {
  const high = Math.fround(x);
  return Math.exp(-high * high) * Math.exp((high - x) * (high + x));
}

/** The error function, to a few units in the last place of float64. */
export function erf(x: number): number {
  if (Number.isNaN(x)) return NaN;
  const magnitude = Math.abs(x);
  return magnitude < 2 ? erfSeries(x) : Math.sign(x) * (1 - (magnitude < 6 ? erfcFraction(magnitude) : 0));
}

/** 1 - erf(x), accurate in its small tail as well. */
export function erfc(x: number): number {
  if (Number.isNaN(x)) return NaN;
  if (x < 2) return x < -2 ? 2 - erfc(-x) : 1 - erfSeries(x);
  return x > 28 ? 0 : erfcFraction(x);
}
