/** One object in the watch cache: its bytes as served, and views on them that are made when somebody asks. */
import type { KubernetesObject } from '#machinery/meta/object.ts'
import type { StoredObject } from '../request.ts'
import { readPath } from './json-scan.ts'
import { replaceResourceVersion, spliceResourceVersion } from './resource-version-bytes.ts'

export type Labels = Readonly<Record<string, string>>

/** What all objects of one cache share. */
export type CachedObjectShape = {
  /** `/registry/pods/`. */
  readonly prefix: string
  readonly namespaced: boolean
  /** Field selectors beside metadata.name and metadata.namespace: path -> value as text. */
  readonly selectableFields: Readonly<Record<string, (object: never) => string>>
  /** The selectable field whose value is the plain text at its path: found without decoding. */
  readonly indexedField: string | null
  /** Freezes decoded objects through and through: for tests, where a component that writes into a shared object must fail. */
  readonly freeze: boolean
}

const NO_LABELS: Labels = Object.freeze({})

export class CachedObject<T extends KubernetesObject = KubernetesObject> implements StoredObject<T> {
  readonly key: string
  readonly revision: number
  readonly bytes: Buffer
  readonly #shape: CachedObjectShape
  #object: WeakRef<T> | null = null
  #labels: Labels | null = null
  #fields: Map<string, string> | null = null

  private constructor(shape: CachedObjectShape, key: string, revision: number, bytes: Buffer) {
    this.#shape = shape
    this.key = key
    this.revision = revision
    this.bytes = bytes
  }

  /** From the bytes as the store holds them: without resourceVersion. */
  static fromStored(shape: CachedObjectShape, key: string, revision: number, value: Buffer): CachedObject {
    return new CachedObject(shape, key, revision, spliceResourceVersion(value, revision))
  }

  /** The same state with the revision of its deletion. */
  deletedAt(revision: number): CachedObject<T> {
    return new CachedObject<T>(this.#shape, this.key, revision, replaceResourceVersion(this.bytes, revision))
  }

  get namespace(): string {
    if (!this.#shape.namespaced) return ''
    return this.key.slice(this.#shape.prefix.length, this.key.lastIndexOf('/'))
  }

  get name(): string {
    return this.key.slice(this.key.lastIndexOf('/') + 1)
  }

  object(): T {
    const known = this.#object?.deref()
    if (known !== undefined) return known
    const decoded = JSON.parse(this.bytes.toString()) as T
    this.rememberObject(decoded)
    return decoded
  }

  /** Takes a decoded view that somebody has already; it must equal the bytes and never change again. */
  rememberObject(object: T): void {
    if (this.#shape.freeze) deepFreeze(object)
    this.#object = new WeakRef(object)
  }

  /** metadata.labels, found without decoding the rest. */
  labels(): Labels {
    this.#labels ??= (readPath(this.bytes, ['metadata', 'labels']) as Labels | null | undefined) ?? NO_LABELS
    return this.#labels
  }

  /** metadata.uid, found without decoding the rest. */
  uid(): string {
    return this.#textAt('metadata.uid')
  }

  /** A field as field selectors see it; undefined for one that the kind does not offer. */
  field(path: string): string | undefined {
    if (path === 'metadata.name') return this.name
    if (path === 'metadata.namespace') return this.namespace
    const known = this.#fields?.get(path)
    if (known !== undefined) return known
    const select = this.#shape.selectableFields[path] as ((object: T) => string) | undefined
    if (select === undefined) return undefined
    this.#fields ??= new Map()
    const value = path === this.#shape.indexedField ? this.#textAt(path) : select(this.object())
    this.#fields.set(path, value)
    return value
  }

  #textAt(path: string): string {
    const value = readPath(this.bytes, path.split('.'))
    return typeof value === 'string' ? value : ''
  }

  /** Shares the views of the version before where they cannot differ, so that a frequent writer costs no memory for labels. */
  inheritFrom(previous: CachedObject): void {
    if (previous.#labels === NO_LABELS || previous.#labels === null) return
    const labels = this.labels()
    const before = previous.#labels
    const names = Object.keys(labels)
    const same = names.length === Object.keys(before).length && names.every((name) => labels[name] === before[name])
    if (same) this.#labels = before
  }
}

function deepFreeze(value: unknown): void {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return
  Object.freeze(value)
  for (const member of Object.values(value)) deepFreeze(member)
}
