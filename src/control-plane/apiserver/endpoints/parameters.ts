/** The query parameters and options of requests, with upstream's refusals. */
import type { FieldError } from '#machinery/field-error.ts'
import { forbiddenField, invalidFrom, notSupported, notSupportedInOrder } from '#machinery/field-error.ts'
import type { FieldValidation } from '#machinery/schema/decode.ts'
import { badRequest } from '#machinery/status-error.ts'
import { validateFieldManager } from '#machinery/validation/object-meta.ts'
import type { ApiRequest } from '../request.ts'

export const META_GROUP = 'meta.k8s.io'

export type WriteOptionsKind = 'CreateOptions' | 'UpdateOptions' | 'PatchOptions'

export type WriteParameters = {
  readonly dryRun: boolean
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  readonly force: boolean | undefined
}

/** Upstream's length limit for a name made of the user agent. */
const MANAGER_LENGTH_MAX = 128

export function readWriteParameters(request: ApiRequest, kind: WriteOptionsKind, isApply = false): WriteParameters {
  const { query, headers } = request
  const errors: FieldError[] = []
  const dryRun = query.getAll('dryRun').filter((value) => value !== '')
  checkDryRun(dryRun, errors)
  const manager = query.get('fieldManager') ?? ''
  errors.push(...validateFieldManager(manager, 'fieldManager'))
  const validation = query.get('fieldValidation') ?? ''
  if (!['', 'Ignore', 'Warn', 'Strict'].includes(validation))
    errors.push(notSupported('fieldValidation', validation, ['', 'Ignore', 'Strict', 'Warn']))
  const force = readBoolean(query.get('force'))
  if (kind === 'PatchOptions') {
    if (isApply && manager === '')
      errors.unshift({
        type: 'FieldValueRequired',
        field: 'fieldManager',
        message: 'Required value: is required for apply patch',
      })
    if (!isApply && force !== undefined)
      errors.unshift(forbiddenField('force', 'may not be specified for non-apply patch'))
  }
  if (errors.length > 0) throw invalidFrom({ group: META_GROUP, kind }, '', errors)
  return {
    dryRun: dryRun.length > 0,
    fieldManager: manager === '' ? managerOfUserAgent(headers['user-agent'] ?? '') : manager,
    fieldValidation: (validation === '' ? 'Warn' : validation) as FieldValidation,
    force,
  }
}

export function checkDryRun(values: readonly string[], errors: FieldError[]): void {
  if (values.length === 0) return
  for (const value of values) if (value !== 'All') return void errors.push(notSupported('dryRun', values, ['All']))
}

/** The part before the slash: `kubectl/v1.37.2 (linux/amd64)` writes as `kubectl`. */
export function managerOfUserAgent(userAgent: string): string {
  let name = userAgent.split('/')[0]!
  name = [...name].filter((character) => character >= ' ' && character !== '\u007F').join('')
  return name.slice(0, MANAGER_LENGTH_MAX)
}

export type ReadParameters = {
  readonly resourceVersion: string
  readonly resourceVersionMatch: string
  readonly limit: number
  readonly continue: string
  readonly labelSelector: string
  readonly fieldSelector: string
  readonly timeoutSeconds: number
  readonly allowWatchBookmarks: boolean
  readonly sendInitialEvents: boolean | undefined
}

export function readListParameters({ query }: ApiRequest): ReadParameters {
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    limit: readInteger(query, 'limit'),
    continue: query.get('continue') ?? '',
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
    timeoutSeconds: readInteger(query, 'timeoutSeconds'),
    allowWatchBookmarks: readBoolean(query.get('allowWatchBookmarks')) ?? false,
    sendInitialEvents: readBoolean(query.get('sendInitialEvents')),
  }
}

/** List options that contradict each other (upstream's ValidateListOptions). */
export function checkListOptions(parameters: ReadParameters, isWatch: boolean): void {
  const { resourceVersion, resourceVersionMatch: match, sendInitialEvents, continue: token } = parameters
  const errors: FieldError[] = []
  if (isWatch) {
    checkWatchOptions(parameters, errors)
  } else {
    if (match !== '') {
      if (resourceVersion === '')
        errors.push(
          forbiddenField(
            'resourceVersionMatch',
            'resourceVersionMatch is forbidden unless resourceVersion is provided',
          ),
        )
      if (token !== '')
        errors.push(
          forbiddenField('resourceVersionMatch', 'resourceVersionMatch is forbidden when continue is provided'),
        )
      if (match !== 'Exact' && match !== 'NotOlderThan')
        errors.push(notSupportedInOrder('resourceVersionMatch', match, ['Exact', 'NotOlderThan', '']))
      if (match === 'Exact' && resourceVersion === '0')
        errors.push(
          forbiddenField('resourceVersionMatch', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"'),
        )
    }
    if (sendInitialEvents !== undefined)
      errors.push(forbiddenField('sendInitialEvents', 'sendInitialEvents is forbidden for list'))
  }
  if (errors.length > 0) throw invalidFrom({ group: META_GROUP, kind: 'ListOptions' }, '', errors)
}

function checkWatchOptions(parameters: ReadParameters, errors: FieldError[]): void {
  const { continue: token } = parameters
  const match = startsFromNow(parameters) ? 'NotOlderThan' : parameters.resourceVersionMatch
  const hasInitialEvents = startsFromNow(parameters) || parameters.sendInitialEvents !== undefined
  const refuse = (text: string): void => void errors.push(forbiddenField('resourceVersionMatch', text))
  if (hasInitialEvents && match !== 'NotOlderThan')
    refuse('sendInitialEvents requires setting resourceVersionMatch to NotOlderThan')
  if (match === '') return
  if (!hasInitialEvents) refuse('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided')
  if (match !== 'NotOlderThan') errors.push(notSupported('resourceVersionMatch', match, ['NotOlderThan']))
  if (token !== '') refuse('resourceVersionMatch is forbidden when continue is provided')
}

/** Upstream makes a watch without a version one with initial events, before it looks at the options. */
export function startsFromNow({ sendInitialEvents, resourceVersion, resourceVersionMatch }: ReadParameters): boolean {
  return (
    sendInitialEvents === undefined &&
    resourceVersionMatch === '' &&
    (resourceVersion === '' || resourceVersion === '0')
  )
}

function readInteger(query: URLSearchParams, name: string): number {
  const text = query.get(name)
  if (text === null || text === '') return 0
  if (!/^[-+]?\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
  const value = BigInt(text.replace('+', ''))
  if (BigInt.asIntN(64, value) !== value)
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: value out of range`)
  return Number(text)
}

/** Upstream: any value but `false`, `0` (and no value at all) means true. */
export function readBoolean(text: string | null): boolean | undefined {
  if (text === null) return undefined
  return text.toLowerCase() !== 'false' && text !== '0'
}
