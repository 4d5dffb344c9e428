/** Records requests in the audit log, at the stages and in the depth that the policy asks for. */
import type { Clock } from '#base/clock.ts'
import { randomUuid, type RandomSource } from '#base/random.ts'
import { internalError, StatusError } from '#machinery/status-error.ts'
import { attributesOf } from '../authorization/authorization-stage.ts'
import { PlainRefusal } from '../plain-refusal.ts'
import { isLongRunning } from '../request-info.ts'
import type { ApiRequest, ApiResponse, Stage } from '../request.ts'
import { AuditRecord } from './audit-record.ts'
import type { AuditBackend } from './backend.ts'
import type { AuditEvent, ObjectReference } from './event.ts'
import { isAtLeast, type AuditLevel, type AuditPolicyEvaluator, type AuditStage } from './policy.ts'
import { responseObjectOf, responseStatusOf } from './response-text.ts'
import { whenOver } from './when-over.ts'

export type AuditOptions = {
  readonly policy: AuditPolicyEvaluator
  readonly backend: AuditBackend
  readonly clock: Clock
  readonly random: RandomSource
  /** Told the level of each request. */
  readonly observeLevel: (level: AuditLevel) => void
  /** Told each event. */
  readonly observeEvent: () => void
  /** Told each request that is refused because its event cannot be stored. */
  readonly observeRejection: () => void
}

const USER_AGENT_LENGTH_MAX = 1024

/** Comes after authentication. */
export function createAuditStage(options: AuditOptions): Stage {
  return async (request, next) => {
    const decision = options.policy.evaluate(attributesOf(request))
    options.observeLevel(decision.level)
    if (decision.level === 'None') return next(request)
    const run = new AuditedRequest(options, request, new AuditRecord(decision, objectRefOf(request)))
    if (!run.emit('RequestReceived', null)) {
      options.observeRejection()
      throw internalError('failed to store audit event')
    }
    let response: ApiResponse
    try {
      response = await next({ ...request, audit: run.record })
    } catch (error) {
      run.fail(error)
      throw error
    }
    return run.answered(response)
  }
}

/** Comes before authentication: records those that it refuses, of whom nothing is known. */
export function createFailedAuthenticationAudit(options: AuditOptions): Stage {
  return async (request, next) => {
    const nobody = request.user
    try {
      return await next(request)
    } catch (error) {
      if (request.user === nobody && error instanceof StatusError && error.code === 401)
        auditRefusal(options, request, error)
      throw error
    }
  }
}

function auditRefusal(options: AuditOptions, request: ApiRequest, error: StatusError): void {
  const decision = options.policy.evaluate(attributesOf(request))
  options.observeLevel(decision.level)
  if (decision.level === 'None') return
  const run = new AuditedRequest(options, request, new AuditRecord(decision, objectRefOf(request)))
  run.emit('ResponseStarted', errorAnswer(error))
}

type Answer = Pick<AuditEvent, 'responseStatus' | 'responseObject'>

class AuditedRequest {
  readonly record: AuditRecord
  readonly #options: AuditOptions
  readonly #request: ApiRequest
  readonly #user: ApiRequest['user']
  readonly #auditID: string
  readonly #received: string

  constructor(options: AuditOptions, request: ApiRequest, record: AuditRecord) {
    this.#options = options
    this.#request = request
    // Impersonation puts another one in its place.
    this.#user = request.user
    this.record = record
    this.#auditID = request.auditId ?? randomUuid(options.random)
    this.#received = microTime(request.receivedMs ?? options.clock.now())
  }

  /** False when the event could not be stored. */
  emit(stage: AuditStage, answer: Answer | null): boolean {
    const { decision, annotations, impersonated, objectRef, requestObject } = this.record
    if (decision.omitStages.has(stage)) return true
    const { info, headers, remoteAddress } = this.#request
    this.#options.observeEvent()
    const stored = this.#options.backend.store({
      level: decision.level,
      auditID: this.#auditID,
      stage,
      requestURI: uriOf(this.#request),
      verb: info.verb,
      user: this.#user,
      impersonated,
      sourceIPs: sourceAddresses(headers, remoteAddress),
      userAgent: shortened(headers['user-agent'] ?? ''),
      objectRef,
      responseStatus: answer?.responseStatus ?? null,
      requestObject,
      responseObject: answer?.responseObject ?? null,
      requestReceivedTimestamp: this.#received,
      stageTimestamp: microTime(this.#options.clock.now()),
      annotations: new Map(annotations),
    })
    return stored || stage !== 'RequestReceived'
  }

  fail(error: unknown): void {
    const answer = answerOf(error, this.record.decision.level)
    if (isLongRunning(this.#request)) this.emit('ResponseStarted', answer)
    this.emit('ResponseComplete', answer)
  }

  /** What lasts is told at its begin, and again at its end. */
  async answered(response: ApiResponse): Promise<ApiResponse> {
    const { level, omitManagedFields } = this.record.decision
    const withObject = isAtLeast(level, 'RequestResponse')
    const answer = {
      responseStatus: responseStatusOf(response),
      responseObject: withObject
        ? await responseObjectOf(response, { omitManagedFields, clock: this.#options.clock })
        : null,
    }
    if (!isLongRunning(this.#request)) {
      this.emit('ResponseComplete', answer)
      return response
    }
    this.emit('ResponseStarted', answer)
    return whenOver(response, () => this.emit('ResponseComplete', answer))
  }
}

function answerOf(error: unknown, level: AuditLevel): Answer {
  // Upstream's writes no Status either.
  if (error instanceof PlainRefusal) return { responseStatus: { metadata: {}, code: error.code }, responseObject: null }
  return errorAnswer(error instanceof StatusError ? error : internalError(String(error)), level)
}

function errorAnswer(error: StatusError, level: AuditLevel = 'RequestResponse'): Answer {
  const { kind, apiVersion, ...status } = error.toStatus()
  return {
    responseStatus: status,
    responseObject: isAtLeast(level, 'RequestResponse') ? JSON.stringify({ kind, apiVersion, ...status }) : null,
  }
}

function objectRefOf({ info }: ApiRequest): ObjectReference | null {
  if (!info.isResourceRequest) return null
  const { resource, namespace, name, group, version, subresource } = info
  return {
    resource,
    ...(namespace === '' ? {} : { namespace }),
    ...(name === '' ? {} : { name }),
    ...(group === '' ? {} : { apiGroup: group }),
    apiVersion: version,
    ...(subresource === '' ? {} : { subresource }),
  }
}

function uriOf({ target, path, query }: ApiRequest): string {
  if (target !== undefined) return target
  return query.size === 0 ? path : `${path}?${query.toString()}`
}

/** Whom the request passed through, as the headers of proxies tell, then who sent it here. */
function sourceAddresses(headers: ApiRequest['headers'], remoteAddress: string): string[] {
  const forwarded = (headers['x-forwarded-for'] ?? '').split(',').map((text) => text.trim())
  const real = headers['x-real-ip']?.trim() ?? ''
  const told = [...forwarded, real].filter((text, position, all) => text !== '' && all.indexOf(text) === position)
  const remote = remoteAddress.replace(/^::ffff:/, '')
  return told.at(-1) === remote || remote === '' ? told : [...told, remote]
}

const shortened = (userAgent: string): string =>
  userAgent.length > USER_AGENT_LENGTH_MAX ? `${userAgent.slice(0, USER_AGENT_LENGTH_MAX)}...TRUNCATED` : userAgent

const microTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z')
