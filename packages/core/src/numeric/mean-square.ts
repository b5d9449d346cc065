/** Mean square of what is finite; 0 where nothing is. */
export function meanSquare(values: Float64Array): number {
  let [sum, count] = [0, 0];
  for (let i = 0; i < values.length; i++) {
    const y = values[i]!;
    if (!Number.isFinite(y)) continue;
    sum += y * y;
    count++;
  }
  return count === 0 ? 0 : sum / count;
}
