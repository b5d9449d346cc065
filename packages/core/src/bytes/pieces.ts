/**
 * The same bytes in pieces whose lengths are multiples of `unit`, so that no element is cut; only
 * what is left over at the end may be shorter. Pieces are passed on without a copy where they fit.
 */
export async function* inMultiples(
  pieces: AsyncIterable<Uint8Array>,
  unit: number,
): AsyncGenerator<Uint8Array> {
  let left: Uint8Array = new Uint8Array(0);
  for await (const piece of pieces) {
    let rest = piece;
    if (left.length > 0) {
      const missing = Math.min(unit - left.length, piece.length);
      const joined = new Uint8Array(left.length + missing);
      joined.set(left);
      joined.set(piece.subarray(0, missing), left.length);
      left = joined;
      rest = piece.subarray(missing);
      if (left.length < unit) continue;
      yield left;
    }
    const whole = rest.length - (rest.length % unit);
    if (whole > 0) yield rest.subarray(0, whole);
    left = rest.subarray(whole);
  }
  if (left.length > 0) yield left;
}
