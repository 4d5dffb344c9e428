/** Tells the refusal of a namespace that is being deleted: whatever was to be created there is not wanted any more. */
import { StatusError } from '#machinery/status-error.ts'

export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof StatusError &&
    error.details?.causes?.some(({ reason }) => reason === 'NamespaceTerminating') === true
  )
}
