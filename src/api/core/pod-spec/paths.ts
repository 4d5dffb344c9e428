/** Checks paths inside volumes and images: relative, and never stepping out. */
import { type FieldError, invalidValue } from '#machinery/field-error.ts'

export function checkNoBacksteps(errors: FieldError[], path: string, target: string): void {
  if (hasBacksteps(target)) errors.push(invalidValue(path, target, "must not contain '..'"))
}

export function hasBacksteps(target: string): boolean {
  return target.includes('..') && target.split('/').includes('..')
}

/** A relative path without steps up. */
export function checkDescendingPath(errors: FieldError[], path: string, target: string): void {
  if (target.startsWith('/')) errors.push(invalidValue(path, target, 'must be a relative path'))
  checkNoBacksteps(errors, path, target)
}

/** Names that begin with two dots are kept for the kubelet's atomic writer. */
export function checkNonReservedPath(errors: FieldError[], path: string, target: string): void {
  checkDescendingPath(errors, path, target)
  if (target.startsWith('..') && !target.startsWith('../'))
    errors.push(invalidValue(path, target, "must not start with '..'"))
}
