/** Operations of a driver on the node that are skipped for some devices: what was prepared would have to be cleaned up. */
import { declared, duplicate, type FieldError, invalidValue, notSupported } from '#machinery/field-error.ts'

const OPERATIONS = ['All', 'NodePrepareResources', 'NodeUnprepareResources']
const UNPREPARED = 'NodePrepareResources cannot be skipped unless NodeUnprepareResources is also skipped'

export function checkSkippedOperations(errors: FieldError[], path: string, operations: readonly string[] = []): void {
  const skips = (operation: string): boolean => operations.includes(operation)
  if (skips('NodePrepareResources') && !skips('NodeUnprepareResources') && !skips('All'))
    errors.push(invalidValue(path, operations, UNPREPARED))
  for (const [i, operation] of operations.entries())
    if (operations.indexOf(operation) < i) errors.push(declared(duplicate(`${path}[${i}]`, operation)))
  for (const [i, operation] of operations.entries())
    if (!OPERATIONS.includes(operation)) errors.push(declared(notSupported(`${path}[${i}]`, operation, OPERATIONS)))
}
