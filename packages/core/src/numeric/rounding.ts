/** The integer nearest to a number, ties to the even one. Infinities and NaN stay. */
export function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest === 0.5) return floor % 2 === 0 ? floor : floor + 1;
  return rest < 0.5 ? floor : rest > 0.5 ? floor + 1 : x;
}
