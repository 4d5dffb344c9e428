/** The `continue` token of a paged list, in the form that Kubernetes gives it. */
import { badRequest } from '#machinery/status-error.ts'

/** Stands for "go on at whatever is current": the answer to a token whose revision is gone. */
export const LATEST_REVISION = -1

export type ContinuePosition = { readonly startKey: string; readonly revision: number }

/** `startKey` lies below `prefix`; the token holds only the rest. */
export function encodeContinue({ startKey, revision }: ContinuePosition, prefix: string): string {
  const token = { v: 'meta.k8s.io/v1', rv: revision, start: startKey.slice(prefix.length) }
  return Buffer.from(JSON.stringify(token)).toString('base64url')
}

export function decodeContinue(token: string, prefix: string): ContinuePosition {
  const { v, rv, start } = parse(token)
  if (v !== 'meta.k8s.io/v1') {
    throw refuse(`continue key is not valid: server does not recognize this encoded version ${v}`)
  }
  if (rv === 0) {
    throw refuse('continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  }
  if (start === '') throw refuse('continue key is not valid: encoded start key empty (version meta.k8s.io/v1)')
  // A client must not reach beyond the prefix.
  const key = start.startsWith('/') ? start : `/${start}`
  if (key.split('/').some((part, index) => index > 0 && (part === '' || part === '.' || part === '..'))) {
    throw refuse(`continue key is not valid: ${start}`)
  }
  return { startKey: prefix + key.slice(1), revision: rv }
}

function parse(token: string): { v: string; rv: number; start: string } {
  if (!/^[\w-]*$/.test(token) || token.length % 4 === 1) {
    const at = Math.max(0, token.search(/[^\w-]/))
    throw refuse(`continue key is not valid: illegal base64 data at input byte ${at}`)
  }
  try {
    const { v = '', rv = 0, start = '' } = JSON.parse(Buffer.from(token, 'base64url').toString())
    if (typeof v === 'string' && Number.isSafeInteger(rv) && typeof start === 'string') return { v, rv, start }
    throw new TypeError('json: cannot unmarshal into Go value of type storage.continueToken')
  } catch (error) {
    throw refuse(`continue key is not valid: ${(error as Error).message}`)
  }
}

const refuse = (why: string): Error => badRequest(`invalid continue token: ${why}`)
