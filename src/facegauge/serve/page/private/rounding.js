/** Rounding as Python and OpenCV round: halves to the even neighbour. */

/** The nearest whole number; of two equally near ones the even one. */
export function even(value) {
  const low = Math.floor(value);
  const rest = value - low;
  if (rest !== 0.5) return rest < 0.5 ? low : low + 1;
  return low % 2 === 0 ? low : low + 1;
}

/** A value within bounds. */
export function within(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
