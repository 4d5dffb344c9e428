/** The one error class of the API: carries Kubernetes' `Status` from where it is found to the client that gets it. */
import type { Status, StatusCause, StatusDetails } from './meta/v1.gen.ts'

export type StatusOptions = {
  readonly code: number
  readonly reason: string
  readonly message: string
  readonly details?: StatusDetails
  /** Extra answer headers, such as `Retry-After`. */
  readonly headers?: Readonly<Record<string, string>>
}

export class StatusError extends Error {
  readonly code: number
  readonly reason: string
  readonly details: StatusDetails | undefined
  readonly headers: Readonly<Record<string, string>>
  constructor(options: StatusOptions) {
    super(options.message)
    this.name = 'StatusError'
    this.code = options.code
    this.reason = options.reason
    this.details = options.details
    this.headers = options.headers ?? {}
  }

  /** The `Status` object that a client receives. */
  toStatus(): Status {
    return {
      kind: 'Status',
      apiVersion: 'v1',
      metadata: {},
      status: 'Failure',
      message: this.message,
      ...(this.reason === '' ? {} : { reason: this.reason }),
      ...(this.details === undefined ? {} : { details: this.details }),
      code: this.code,
    }
  }

  /** Rebuilds the error from a `Status` that a server answered. */
  static fromStatus(status: Status): StatusError {
    return new StatusError({
      code: status.code ?? 500,
      reason: status.reason ?? '',
      message: status.message ?? 'unknown',
      ...(status.details === undefined ? {} : { details: status.details }),
    })
  }
}

/** A resource as error messages name it: `pods`, `deployments.apps`. */
export type GroupResource = { readonly group: string; readonly resource: string }

export function formatGroupResource({ group, resource }: GroupResource): string {
  return group === '' ? resource : `${resource}.${group}`
}

function detailsOf({ group, resource }: GroupResource, name: string): StatusDetails {
  return { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: resource }
}

export function notFound(resource: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 404,
    reason: 'NotFound',
    message: `${formatGroupResource(resource)} ${JSON.stringify(name)} not found`,
    details: detailsOf(resource, name),
  })
}

/** A verb that a resource does not have on a path that it has. */
export function methodNotSupported(resource: GroupResource, verb: string): StatusError {
  return new StatusError({
    code: 405,
    reason: 'MethodNotAllowed',
    message: `${verb} is not supported on resources of kind ${JSON.stringify(formatGroupResource(resource))}`,
    details: detailsOf(resource, ''),
  })
}

export function alreadyExists(resource: GroupResource, name: string): StatusError {
  return new StatusError({
    code: 409,
    reason: 'AlreadyExists',
    message: `${formatGroupResource(resource)} ${JSON.stringify(name)} already exists`,
    details: detailsOf(resource, name),
  })
}

export function conflict(resource: GroupResource, name: string, why: string): StatusError {
  return new StatusError({
    code: 409,
    reason: 'Conflict',
    message: `Operation cannot be fulfilled on ${formatGroupResource(resource)} ${JSON.stringify(name)}: ${why}`,
    details: detailsOf(resource, name),
  })
}

export function forbidden(resource: GroupResource, name: string, why: string): StatusError {
  const subject =
    name === '' ? formatGroupResource(resource) : `${formatGroupResource(resource)} ${JSON.stringify(name)}`
  return new StatusError({
    code: 403,
    reason: 'Forbidden',
    message: resource.resource === '' ? `forbidden: ${why}` : `${subject} is forbidden: ${why}`,
    details: detailsOf(resource, name),
  })
}

/** A validation failure; `causes` come from field errors (see field-error.ts). */
export function invalid(
  kind: { group: string; kind: string },
  name: string,
  message: string,
  causes: StatusCause[],
): StatusError {
  const qualified = kind.group === '' ? kind.kind : `${kind.kind}.${kind.group}`
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${qualified} ${JSON.stringify(name)} is invalid: ${message}`,
    details: {
      ...(name === '' ? {} : { name }),
      ...(kind.group === '' ? {} : { group: kind.group }),
      kind: kind.kind,
      causes,
    },
  })
}

export function badRequest(message: string): StatusError {
  return new StatusError({ code: 400, reason: 'BadRequest', message })
}

export function unauthorized(): StatusError {
  return new StatusError({ code: 401, reason: 'Unauthorized', message: 'Unauthorized' })
}

export function internalError(message: string): StatusError {
  return new StatusError({
    code: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${message}`,
    details: { causes: [{ message }] },
  })
}

/** The watch or list asks for history that is compacted away: the client has to list again. */
export function resourceExpired(message: string): StatusError {
  return new StatusError({ code: 410, reason: 'Expired', message })
}

function hasReason(error: unknown, reason: string): error is StatusError {
  return error instanceof StatusError && error.reason === reason
}

export const isNotFound = (error: unknown): boolean => hasReason(error, 'NotFound')
export const isAlreadyExists = (error: unknown): boolean => hasReason(error, 'AlreadyExists')
export const isConflict = (error: unknown): boolean => hasReason(error, 'Conflict')
export const isExpired = (error: unknown): boolean => hasReason(error, 'Expired') || hasReason(error, 'Gone')
