/** What is gathered for the audit log while a request is on its way: the parts that know something of it put it here. */
import { normalize } from '#machinery/schema/encode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { UserInfo } from '../request.ts'
import type { ObjectReference } from './event.ts'
import { isAtLeast, type AuditDecision } from './policy.ts'

type RecordedKind = { readonly group: string; readonly version: string; readonly kind: string; readonly schema: string }

export class AuditRecord {
  readonly decision: AuditDecision
  readonly annotations = new Map<string, string>()
  impersonated: { readonly user: UserInfo; readonly constraint: string } | null = null
  objectRef: ObjectReference | null
  requestObject: string | null = null

  constructor(decision: AuditDecision, objectRef: ObjectReference | null) {
    this.decision = decision
    this.objectRef = objectRef
  }

  /** The object that a client sent, with its defaults; it may be changed afterwards. */
  recordObject({ group, version, kind, schema }: RecordedKind, object: KubernetesObject): void {
    const { name = '', namespace = '', uid = '', resourceVersion = '' } = object.metadata ?? {}
    const known = this.objectRef ?? {}
    this.objectRef = {
      ...known,
      ...(!known.namespace && namespace ? { namespace } : {}),
      ...(!known.name && name ? { name } : {}),
      ...(uid ? { uid } : {}),
      ...(resourceVersion ? { resourceVersion } : {}),
    }
    if (!isAtLeast(this.decision.level, 'Request')) return
    const apiVersion = group === '' ? version : `${group}/${version}`
    const { metadata, ...fields } = { ...object, metadata: { ...object.metadata } } as KubernetesObject
    if (this.decision.omitManagedFields) delete metadata.managedFields
    this.requestObject = JSON.stringify(normalize(schemaOf(schema), { ...fields, kind, apiVersion, metadata }))
  }

  /** The first one with a key stays: a write that is tried again finds the same. */
  annotate(key: string, value: string): void {
    if (!this.annotations.has(key)) this.annotations.set(key, value)
  }

  /** What has no metadata: a patch, or options. */
  recordValue(value: unknown): void {
    if (isAtLeast(this.decision.level, 'Request')) this.requestObject = JSON.stringify(value)
  }
}
