/** Why a body cannot be read as the type it should be, in the words of Go's JSON decoder. */
import { StatusError } from '../status-error.ts'

/** A 400 whose message is Go's alone; the API server puts `Pod in version "v1" cannot be handled as a Pod: ` before it. */
export class DecodeError extends StatusError {
  constructor(message: string) {
    super({ code: 400, reason: 'BadRequest', message })
    this.name = 'DecodeError'
  }
}
