/** Decides how a list is read from its parameters: at which revision, from where, how much. Kubernetes' rules, no I/O. */
import { badRequest } from '#machinery/status-error.ts'
import { decodeContinue } from './continue-token.ts'
import { parseResourceVersion } from './errors.ts'

export type ListParameters = {
  readonly limit: number
  readonly continue: string
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
}

export type ListPlan = {
  /**
   * consistent: nothing that was written before the request may be missing; any: what is there; atLeast: what is there once this
   * revision has arrived; exact: the state at this revision.
   */
  readonly read: 'consistent' | 'any' | 'atLeast' | 'exact'
  readonly revision: number
  /** First key to return. */
  readonly startKey: string
  /** 0: all. */
  readonly limit: number
  readonly isContinued: boolean
}

/** `prefix` is the range of the request; `single`: only one name is asked for, which no token leads through. */
export function planList(parameters: ListParameters, prefix: string, single: boolean): ListPlan {
  if (parameters.continue !== '' && !single) return planContinued(parameters, prefix)
  const revision = parseListVersion(parameters.resourceVersion)
  const limit = parameters.resourceVersion === '0' ? 0 : parameters.limit
  const plan = { revision, startKey: prefix, limit, isContinued: false }
  switch (parameters.resourceVersionMatch) {
    case 'Exact':
      return { ...plan, read: 'exact' }
    case 'NotOlderThan':
      return { ...plan, read: revision === 0 ? 'any' : 'atLeast' }
    case '':
      break
    default:
      throw badRequest(`unknown ResourceVersionMatch value: ${parameters.resourceVersionMatch}`)
  }
  if (parameters.resourceVersion === '') return { ...plan, read: 'consistent' }
  if (revision === 0) return { ...plan, read: 'any' }
  return { ...plan, read: parameters.limit > 0 && !single ? 'exact' : 'atLeast' }
}

function planContinued(parameters: ListParameters, prefix: string): ListPlan {
  const { startKey, revision } = decodeContinue(parameters.continue, prefix)
  if (parameters.resourceVersion !== '' && parameters.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue')
  }
  const limit = parameters.resourceVersion === '0' ? 0 : parameters.limit
  const plan = { startKey, limit, isContinued: true }
  return revision > 0 ? { ...plan, read: 'exact', revision } : { ...plan, read: 'consistent', revision: 0 }
}

function parseListVersion(text: string): number {
  try {
    return parseResourceVersion(text)
  } catch (error) {
    throw badRequest(`invalid resource version: ${(error as Error).message}`)
  }
}
