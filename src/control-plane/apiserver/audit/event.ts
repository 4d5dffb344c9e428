/** One entry of the audit log: an Event of audit.k8s.io/v1 as text. */
import type { UserInfo } from '../request.ts'
import type { AuditLevel, AuditStage } from './policy.ts'

export type ObjectReference = {
  readonly resource?: string
  readonly namespace?: string
  readonly name?: string
  readonly uid?: string
  readonly apiGroup?: string
  readonly apiVersion?: string
  readonly resourceVersion?: string
  readonly subresource?: string
}

export type AuditEvent = {
  readonly level: AuditLevel
  readonly auditID: string
  readonly stage: AuditStage
  readonly requestURI: string
  readonly verb: string
  readonly user: UserInfo
  readonly impersonated: { readonly user: UserInfo; readonly constraint: string } | null
  readonly sourceIPs: readonly string[]
  readonly userAgent: string
  readonly objectRef: ObjectReference | null
  /** A Status without its type; null while there is no answer. */
  readonly responseStatus: Readonly<Record<string, unknown>> | null
  /** JSON texts, null where the level does not ask for them. */
  readonly requestObject: string | null
  readonly responseObject: string | null
  /** With microseconds: `2026-11-24T22:59:58.994785Z`. */
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
  readonly annotations: ReadonlyMap<string, string>
}

/** Objects are already JSON: they are put between the other fields as they are. */
export function eventJson(event: AuditEvent): string {
  const { impersonated, objectRef, responseStatus, annotations } = event
  const before = {
    kind: 'Event',
    apiVersion: 'audit.k8s.io/v1',
    level: event.level,
    auditID: event.auditID,
    stage: event.stage,
    requestURI: event.requestURI,
    verb: event.verb,
    user: userOf(event.user),
    ...(impersonated === null ? {} : { impersonatedUser: userOf(impersonated.user) }),
    ...(impersonated === null || impersonated.constraint === ''
      ? {}
      : { authenticationMetadata: { impersonationConstraint: impersonated.constraint } }),
    ...(event.sourceIPs.length === 0 ? {} : { sourceIPs: event.sourceIPs }),
    ...(event.userAgent === '' ? {} : { userAgent: event.userAgent }),
    ...(objectRef === null ? {} : { objectRef }),
    ...(responseStatus === null ? {} : { responseStatus }),
  }
  const objects = [
    event.requestObject === null ? '' : `,"requestObject":${event.requestObject}`,
    event.responseObject === null ? '' : `,"responseObject":${event.responseObject}`,
  ].join('')
  const after = {
    requestReceivedTimestamp: event.requestReceivedTimestamp,
    stageTimestamp: event.stageTimestamp,
    ...(annotations.size === 0 ? {} : { annotations: Object.fromEntries([...annotations].toSorted()) }),
  }
  return escapeHtml(`${JSON.stringify(before).slice(0, -1)}${objects},${JSON.stringify(after).slice(1)}`)
}

const ESCAPES: Readonly<Record<string, string>> = {
  '&': String.raw`\u0026`,
  '<': String.raw`\u003c`,
  '>': String.raw`\u003e`,
}

/** As Go writes JSON; these characters stand in strings only. */
const escapeHtml = (json: string): string => json.replace(/[&<>]/g, (character) => ESCAPES[character]!)

function userOf({ name, uid, groups, extra }: UserInfo) {
  return {
    ...(name === '' ? {} : { username: name }),
    ...(uid === '' ? {} : { uid }),
    ...(groups.length === 0 ? {} : { groups }),
    ...(Object.keys(extra).length === 0 ? {} : { extra }),
  }
}

/** The older form: a line of the most important fields. */
export function eventLine(event: AuditEvent): string {
  const { user, impersonated, objectRef, responseStatus } = event
  const quoted = (values: readonly string[]): string => values.map((value) => JSON.stringify(value)).join(',')
  const fields: Record<string, string> = {
    id: event.auditID,
    stage: event.stage,
    ip: event.sourceIPs[0] ?? '<unknown>',
    method: event.verb,
    user: user.name || '<none>',
    groups: user.name !== '' && user.groups.length > 0 ? quoted(user.groups) : '<none>',
    as: impersonated?.user.name ?? '<self>',
    asgroups: impersonated === null ? '<lookup>' : quoted(impersonated.user.groups),
    'user-agent': event.userAgent,
    namespace: objectRef?.namespace || '<none>',
    uri: event.requestURI,
    response: responseStatus === null ? '<deferred>' : String(responseStatus['code'] ?? 0),
  }
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${JSON.stringify(value)}`)
  return `${event.requestReceivedTimestamp} AUDIT: ${pairs.join(' ')}`
}
