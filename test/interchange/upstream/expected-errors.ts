/** Errors that upstream's components log on a real kube-apiserver too, in the very same flows. */

const EXPECTED: readonly RegExp[] = [
  // Of the components by themselves.
  /options\.go:\d+\] The manifest file is empty, ignoring/,
  // A controller is faster than its own watch, or than another one that writes the same object.
  /read version: \d+ is not as new as written version: \d+ for group resource/,
  /Operation cannot be fulfilled on .*: the object has been modified; please apply your changes to the latest version/,
  /pvc_protection_controller\.go:\d+\] .*persistentvolumeclaims \\?"[\w-]+\\?" not found/,
  /TaintEvictionController: timed worker failed" err="pods \\"[\w-]+\\" not found"/,
  /replica_set\.go:\d+\] .* failed with replicasets\.apps \\"[\w-]+\\" not found/,
  /gc_controller\.go:\d+\] "Failed to get node" err="node \\"silent\\" not found"/,
  // What the tests bring about: a namespace under deletion, a full quota, no metrics.
  /is forbidden: unable to create new content in namespace \w+ because it is being terminated/,
  /is forbidden: exceeded quota: q, requested: pods=1, used: pods=2, limited: pods=2/,
  /horizontal\.go:\d+\] .*unable to fetch metrics from resource metrics API: the server could not find the requested resource/,
]

/** Error lines of klog that a real API server does not bring about, each once. */
export function unexpectedErrors(lines: readonly string[]): string[] {
  const errors = lines.filter((line) => /^[EF]\d{4} /.test(line) && !EXPECTED.some((pattern) => pattern.test(line)))
  return [...new Set(errors.map(withoutTime))]
}

function withoutTime(line: string): string {
  return line.replace(/^(\w)\d{4} [\d:.]+ +\d+ /, '$1 ')
}
