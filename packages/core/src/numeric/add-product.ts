/**
 * Copies a part of one operand of a matrix product into a panel, four lines side by side: rows of
 * the left operand, columns of the right one. Element `first + i` of line `line + j` (counted along
 * the dimension that is summed over) goes to `panel[at + 4 * i + j]`, for each i below `count`.
 * Where `lines` is below four, the others are zero.
 */
export type Pack = (
  panel: Float64Array,
  at: number,
  line: number,
  lines: number,
  first: number,
  count: number,
) => void;

/**
 * Packs lines of a tensor: element i of line j is `data[from + j * lineStep + i * step]`. Any order
 * of dimensions and any broadcasting is a pair of steps.
 */
export function packLines(data: Float64Array, from: number, lineStep: number, step: number): Pack {
  return (panel, at, line, lines, first, count) => {
    let p = from + line * lineStep + first * step;
    if (lines < 4) {
      for (let i = 0; i < count; i++, at += 4, p += step)
        for (let j = 0; j < 4; j++) panel[at + j] = j < lines ? data[p + j * lineStep]! : 0;
      return;
    }
    for (let i = 0; i < count; i++, at += 4, p += step) {
      panel[at] = data[p]!;
      panel[at + 1] = data[p + lineStep]!;
      panel[at + 2] = data[p + 2 * lineStep]!;
      panel[at + 3] = data[p + 3 * lineStep]!;
    }
  };
}

/** Where a result lies: element (i, j) is `data[from + i * rowStep + j * columnStep]`. */
export interface ProductTarget {
  readonly data: Float64Array;
  readonly from: number;
  readonly rowStep: number;
  readonly columnStep: number;
}

/** Rows, elements and columns of what is packed at a time, so that it stays in the cache. */
const [rowsAtOnce, depthAtOnce, columnsAtOnce] = [32, 256, 128];
const left = new Float64Array(rowsAtOnce * depthAtOnce);
const right = new Float64Array(depthAtOnce * columnsAtOnce);
/** A tile that reaches over the edge of the result. */
const edge = new Float64Array(16);

/**
 * Adds the product of an [m, k] and a [k, n] matrix to a third, in float64.
 *
 * Both are copied into panels whose elements lie in the order of use, and tiles of four rows by
 * four columns are summed up in registers: three times as fast as loops over rows.
 */
export function addProduct(
  a: Pack,
  b: Pack,
  target: ProductTarget,
  m: number,
  k: number,
  n: number,
): void {
  const { data, from, rowStep, columnStep } = target;
  for (let column = 0; column < n; column += columnsAtOnce) {
    const columns = Math.min(columnsAtOnce, n - column);
    for (let first = 0; first < k; first += depthAtOnce) {
      const depth = Math.min(depthAtOnce, k - first);
      for (let j = 0; j < columns; j += 4)
        b(right, j * depth, column + j, Math.min(4, columns - j), first, depth);
      for (let row = 0; row < m; row += rowsAtOnce) {
        const rows = Math.min(rowsAtOnce, m - row);
        for (let i = 0; i < rows; i += 4)
          a(left, i * depth, row + i, Math.min(4, rows - i), first, depth);
        for (let j = 0; j < columns; j += 4) {
          for (let i = 0; i < rows; i += 4) {
            const at = from + (row + i) * rowStep + (column + j) * columnStep;
            const [height, width] = [rows - i, columns - j];
            if (height >= 4 && width >= 4) {
              addTile(i * depth, j * depth, depth, data, at, rowStep, columnStep);
              continue;
            }
            edge.fill(0);
            addTile(i * depth, j * depth, depth, edge, 0, 4, 1);
            for (let r = 0; r < Math.min(4, height); r++)
              for (let c = 0; c < Math.min(4, width); c++)
                data[at + r * rowStep + c * columnStep]! += edge[4 * r + c]!;
          }
        }
      }
    }
  }
}

/** Adds the product of two panels, from multiples of four on, to sixteen elements of a matrix. */
function addTile(
  a: number,
  b: number,
  depth: number,
  y: Float64Array,
  at: number,
  rowStep: number,
  columnStep: number,
): void {
  let y00 = 0;
  let y01 = 0;
  let y02 = 0;
  let y03 = 0;
  let y10 = 0;
  let y11 = 0;
  let y12 = 0;
  let y13 = 0;
  let y20 = 0;
  let y21 = 0;
  let y22 = 0;
  let y23 = 0;
  let y30 = 0;
  let y31 = 0;
  let y32 = 0;
  let y33 = 0;
  // `|` instead of `+`: V8 then knows that an index does not overflow.
  for (let i = 0; i < depth; i++, a += 4, b += 4) {
    const a0 = left[a]!;
    const a1 = left[a | 1]!;
    const a2 = left[a | 2]!;
    const a3 = left[a | 3]!;
    const b0 = right[b]!;
    const b1 = right[b | 1]!;
    const b2 = right[b | 2]!;
    const b3 = right[b | 3]!;
    y00 += a0 * b0;
    y01 += a0 * b1;
    y02 += a0 * b2;
    y03 += a0 * b3;
    y10 += a1 * b0;
    y11 += a1 * b1;
    y12 += a1 * b2;
    y13 += a1 * b3;
    y20 += a2 * b0;
    y21 += a2 * b1;
    y22 += a2 * b2;
    y23 += a2 * b3;
    y30 += a3 * b0;
    y31 += a3 * b1;
    y32 += a3 * b2;
    y33 += a3 * b3;
  }
  const [c2, c3] = [2 * columnStep, 3 * columnStep];
  y[at]! += y00;
  y[at + columnStep]! += y01;
  y[at + c2]! += y02;
  y[at + c3]! += y03;
  at += rowStep;
  y[at]! += y10;
  y[at + columnStep]! += y11;
  y[at + c2]! += y12;
  y[at + c3]! += y13;
  at += rowStep;
  y[at]! += y20;
  y[at + columnStep]! += y21;
  y[at + c2]! += y22;
  y[at + c3]! += y23;
  at += rowStep;
  y[at]! += y30;
  y[at + columnStep]! += y31;
  y[at + c2]! += y32;
  y[at + c3]! += y33;
}
