/** What the watch cache answers when a resourceVersion cannot be served, in Kubernetes' words. */
import { StatusError, resourceExpired } from '#machinery/status-error.ts'
import { encodeContinue, LATEST_REVISION } from './continue-token.ts'

/** Seconds after which a client may ask again for a revision that has not arrived. */
const TOO_LARGE_RETRY_SECONDS = 1

const INCONSISTENT_CONTINUE =
  'The provided continue parameter is too old to display a consistent list result. You can start a new list without ' +
  'the continue parameter, or use the continue token in this response to retrieve the remainder of the results. ' +
  'Continuing with the provided token results in an inconsistent list - objects that were created, modified, or ' +
  'deleted between the time the first chunk was returned and now may show up in the list.'

/** A page whose revision is compacted away: carries a token that goes on at the current state. */
export class ContinueExpiredError extends StatusError {
  readonly #continueToken: string
  constructor(startKey: string, prefix: string) {
    super({ code: 410, reason: 'Expired', message: INCONSISTENT_CONTINUE })
    this.#continueToken = encodeContinue({ startKey, revision: LATEST_REVISION }, prefix)
  }
  override toStatus(): ReturnType<StatusError['toStatus']> {
    return { ...super.toStatus(), metadata: { continue: this.#continueToken } }
  }
}

export const listExpired = (): StatusError => resourceExpired('The resourceVersion for the provided list is too old.')

export function watchExpired(revision: number, oldest: number): StatusError {
  return resourceExpired(`too old resource version: ${revision} (${oldest})`)
}

export function tooLargeResourceVersion(wanted: number, current: number): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: Too large resource version: ${wanted}, current: ${current}`,
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: TOO_LARGE_RETRY_SECONDS,
    },
    headers: { 'Retry-After': String(TOO_LARGE_RETRY_SECONDS) },
  })
}

export function notReady(): StatusError {
  return new StatusError({
    code: 429,
    reason: 'TooManyRequests',
    message: 'storage is (re)initializing',
    details: { retryAfterSeconds: 1 },
    headers: { 'Retry-After': '1' },
  })
}

/** The number of a resourceVersion; '' and '0' are 0. Upstream answers another text with 500, but in a list with 400. */
export function parseResourceVersion(text: string): number {
  if (text === '' || text === '0') return 0
  if (!/^\d+$/.test(text)) throw badVersion(text, 'invalid syntax')
  if (BigInt(text) > 0xffff_ffff_ffff_ffffn) throw badVersion(text, 'value out of range')
  return Number(text)
}

function badVersion(text: string, why: string): StatusError {
  const quoted = JSON.stringify(text)
  const message = `resourceVersion: Invalid value: ${quoted}: strconv.ParseUint: parsing ${quoted}: ${why}`
  return new StatusError({ code: 500, reason: '', message })
}
