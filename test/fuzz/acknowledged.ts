/** Remembers what the server has acknowledged, and tells where the stored objects differ from it. */
import { isDeepStrictEqual } from 'node:util'
import { KINDS } from '#api/kinds.ts'
import type { FuzzAnswer } from './client.ts'
import type { Body } from './objects.ts'
import type { FuzzRequest } from './request.ts'

/** The server writes their status by itself: usage, conditions. */
const WRITTEN_BY_SERVER = new Set([
  'ResourceQuota',
  'FlowSchema',
  'PriorityLevelConfiguration',
  'ServiceCIDR',
  'Lease',
  'CustomResourceDefinition',
  'APIService',
])
/** Come and go with Services and with the server itself. */
const MADE_BY_SERVER = new Set(['IPAddress', 'Endpoints', 'EndpointSlice', 'Event'])

/** What was asked for may be done, and then it takes too long to say so, or cannot be said in the form that was asked for. */
const UNCLEAR_CODES = new Set([406, 504])

type Known = { version: bigint; object: Body; apiVersion: string; mayBeGone: boolean; isTouched: boolean }

type Metadata = {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]
}

export class Acknowledged {
  readonly #byUid = new Map<string, Known>()
  /** `Pod default/a`: the answer to a write of it told nothing of the object. */
  readonly #unclear = new Set<string>()
  /** `Pod default/`: an object was made there whose answer did not show its name. */
  readonly #createdUnseen = new Set<string>()

  /** What exists before the first request. */
  begin(objects: readonly Body[]): void {
    for (const object of objects) this.#remember(object, true)
  }

  /** `answer` is null when the connection broke. */
  note(request: FuzzRequest, answer: FuzzAnswer | null): void {
    if (request.method === 'GET' || request.method === 'HEAD') return
    if (/[?&]dryRun=All(?:&|$)/.test(request.path)) return
    const isUnclear = answer === null || UNCLEAR_CODES.has(answer.code)
    if (!isUnclear && (answer.code < 200 || answer.code >= 300)) return
    const object = isUnclear ? null : objectOf(answer)
    const { uid } = object === null ? {} : metadataOf(object)
    const [path] = request.path.split('?')
    if (request.method === 'DELETE') this.#noteDeletion(path!, object)
    else if (object === null || uid === undefined || !metadataOf(object).resourceVersion) this.#touch(path!, object)
    else if (isWhole(object)) this.#remember(object, false)
    else this.#touch(path!, object)
  }

  /** `stored` is all that the server holds, in each version that serves it. */
  problems(stored: readonly Body[]): string[] {
    const problems: string[] = []
    const seen = new Set<string>()
    for (const object of stored) {
      const { uid = '' } = metadataOf(object)
      seen.add(uid)
      const problem = MADE_BY_SERVER.has(String(object['kind'])) ? null : this.#problemOf(object, this.#byUid.get(uid))
      if (problem !== null) problems.push(problem)
    }
    for (const [uid, known] of this.#byUid)
      if (!known.mayBeGone && !this.#unclear.has(nameOf(known.object)) && !seen.has(uid))
        problems.push(`${nameOf(known.object)} was acknowledged and is not there`)
    return problems
  }

  get size(): number {
    return this.#byUid.size
  }

  #problemOf(object: Body, known: Known | undefined): string | null {
    const name = nameOf(object)
    if (this.#unclear.has(name)) return null
    if (known === undefined && this.#createdUnseen.has(name.slice(0, name.indexOf('/') + 1))) return null
    if (known === undefined) return `${name} is there and was never acknowledged`
    const version = BigInt(metadataOf(object).resourceVersion ?? '0')
    if (version < known.version) return `${name} is older (${version}) than what was acknowledged (${known.version})`
    if (version > known.version)
      return known.isTouched
        ? null
        : `${name} has a write (${version}) that was not acknowledged after ${known.version}`
    if (object['apiVersion'] !== known.apiVersion || isDeepStrictEqual(object, known.object)) return null
    return `${name} is not what was acknowledged:\n  stored       ${JSON.stringify(object)}\n  acknowledged ${JSON.stringify(known.object)}`
  }

  #remember(object: Body, isTouched: boolean): void {
    const { uid, resourceVersion, deletionTimestamp, finalizers } = metadataOf(object)
    const version = BigInt(resourceVersion ?? '0')
    const known = this.#byUid.get(uid!)
    if (known !== undefined && known.version >= version) return
    const mayBeGone = known?.mayBeGone === true || (deletionTimestamp !== undefined && (finalizers ?? []).length === 0)
    this.#byUid.set(uid!, {
      version,
      object,
      apiVersion: String(object['apiVersion']),
      mayBeGone,
      isTouched: isTouched || WRITTEN_BY_SERVER.has(String(object['kind'])) || known?.isTouched === true,
    })
  }

  #noteDeletion(path: string, object: Body | null): void {
    const details = object?.['details'] as { uid?: string } | undefined
    const uid = details?.uid ?? (object === null ? undefined : metadataOf(object).uid)
    const known = uid === undefined ? undefined : this.#byUid.get(uid)
    if (known === undefined) this.#touch(path, object, true)
    else {
      known.mayBeGone = true
      known.isTouched = true
    }
  }

  /** A write whose answer is no object of the path: whatever is at or below it may have changed. */
  #touch(path: string, object: Body | null, mayBeGone = false): void {
    const { kind, namespace, name = nameIn(object) } = placeOf(path)
    if (kind === 'Pod') this.#touchAll('PodDisruptionBudget', namespace, false)
    if (name === undefined) {
      this.#createdUnseen.add(`${kind} ${namespace}/`)
      this.#touchAll(kind === 'Binding' ? 'Pod' : kind, namespace, mayBeGone)
    } else this.#unclear.add(`${kind === 'Binding' ? 'Pod' : kind} ${namespace}/${name}`)
  }

  #touchAll(kind: string, namespace: string, mayBeGone: boolean): void {
    for (const known of this.#byUid.values()) {
      if (!nameOf(known.object).startsWith(`${kind} ${namespace}/`)) continue
      known.isTouched = true
      if (mayBeGone) known.mayBeGone = true
    }
  }
}

function nameIn(object: Body | null): string | undefined {
  return (object?.['metadata'] as { name?: string } | undefined)?.name
}

const PATH = /^\/api(?:s\/[^/]+)?\/[^/]+(?:\/namespaces\/([^/]+))?\/([^/]+)(?:\/([^/]+))?/

/** What a path is about; Namespaces are under themselves. */
function placeOf(path: string): { kind: string; namespace: string; name?: string } {
  const own = /^\/api\/v1\/namespaces\/([^/]+)(?:\/(?:status|finalize))?$/.exec(path)
  if (own !== null) return { kind: 'Namespace', namespace: '', name: own[1]! }
  const [, namespace = '', resource = '', name] = PATH.exec(path) ?? []
  const kind = KINDS.find((entry) => entry.resource === resource)?.kind ?? ''
  return { kind, namespace, ...(name === undefined ? {} : { name: decodeURIComponent(name) }) }
}

function nameOf(object: Body): string {
  const { name = '', namespace = '' } = object['metadata'] as { name?: string; namespace?: string }
  return `${String(object['kind'])} ${namespace}/${name}`
}

function metadataOf(object: Body): Metadata {
  return (object['metadata'] ?? {}) as Metadata
}

function objectOf({ type, encoding, body }: FuzzAnswer): Body | null {
  if (!type.startsWith('application/json') || encoding !== '') return null
  return JSON.parse(body.toString()) as Body
}

/** Not one of the forms that stand for an object. */
function isWhole(object: Body): boolean {
  return !['Table', 'PartialObjectMetadata', 'Scale', 'Eviction', 'Binding', 'TokenRequest', 'Status'].includes(
    String(object['kind']),
  )
}
