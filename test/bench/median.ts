/** @returns the middle one of the values */
export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}

/** @returns a figure without digits that mean nothing */
export function rounded(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}
