/** Corners of a box as rows of four numbers give them, in any order along each axis. */
function boxAt(boxes: ArrayLike<number>, row: number) {
  const [a, b, c, d] = [
    boxes[4 * row]!,
    boxes[4 * row + 1]!,
    boxes[4 * row + 2]!,
    boxes[4 * row + 3]!,
  ];
  const [top, left, bottom, right] = [
    Math.min(a, c),
    Math.min(b, d),
    Math.max(a, c),
    Math.max(b, d),
  ];
  return { top, left, bottom, right, area: (bottom - top) * (right - left) };
}

/**
 * The area that two rows of a list of boxes share, over the area that they cover together; 0 where
 * one of them has no area.
 */
export function overlap(boxes: ArrayLike<number>, i: number, j: number): number {
  const [a, b] = [boxAt(boxes, i), boxAt(boxes, j)];
  if (a.area <= 0 || b.area <= 0) return 0;
  const height = Math.max(Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top), 0);
  const width = Math.max(Math.min(a.right, b.right) - Math.max(a.left, b.left), 0);
  const shared = height * width;
  return shared / (a.area + b.area - shared);
}
