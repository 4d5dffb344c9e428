/** Errors that upstream's patch code lets through without a status of their own: 500 with the bare text. */
import { StatusError } from '../status-error.ts'

export function patchFailure(message: string): StatusError {
  return new StatusError({ code: 500, reason: '', message })
}

/** 422 without any detail, upstream's answer to a patch that it could read but not apply. */
export function unprocessablePatch(): StatusError {
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: 'the server rejected our request due to an error in our request',
    details: {},
  })
}
