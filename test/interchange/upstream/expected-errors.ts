/** Errors that upstream's components log on a real kube-apiserver too, in the very same flows. */

const EXPECTED: readonly RegExp[] = []

/** Error lines of klog that a real API server does not bring about, each once. */
export function unexpectedErrors(lines: readonly string[]): string[] {
  const errors = lines.filter((line) => /^[EF]\d{4} /.test(line) && !EXPECTED.some((pattern) => pattern.test(line)))
  return [...new Set(errors.map(withoutTime))]
}

function withoutTime(line: string): string {
  return line.replace(/^(\w)\d{4} [\d:.]+ +\d+ /, '$1 ')
}
