/** Admission: plugins that change and then check what is about to be written, in one ordered list. */
import type { KindDefinition } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { forbidden, type StatusError } from '#machinery/status-error.ts'
import type { UserInfo } from '../request.ts'

export type AdmissionOperation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

export type AdmissionAttributes = {
  readonly operation: AdmissionOperation
  readonly kind: KindDefinition
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  /** The object to be written (for a deletion: null); mutating plugins change it in place. */
  readonly object: KubernetesObject | null
  /** The stored one; null on create. Never changed. */
  readonly oldObject: KubernetesObject | null
  readonly user: UserInfo
  readonly dryRun: boolean
  warn(text: string): void
  /** What this write holds outside the store until its outcome is known. */
  readonly outcome: WriteOutcome
}

/** Undoes or completes what plugins did for a write, once it is known whether it was stored. */
export class WriteOutcome {
  readonly #committed: (() => void)[] = []
  readonly #failed: (() => void)[] = []
  onCommit(callback: () => void): void {
    this.#committed.push(callback)
  }
  onFailure(callback: () => void): void {
    this.#failed.push(callback)
  }
  settle(isStored: boolean): void {
    for (const callback of isStored ? this.#committed : this.#failed) callback()
  }
}

/** Throws StatusError to refuse. Reads the cluster through what it was made with, never through the request. */
export interface AdmissionPlugin {
  readonly name: string
  mutate?(attributes: AdmissionAttributes): void | Promise<void>
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}

export class AdmissionChain {
  readonly #mutating: readonly AdmissionPlugin[]
  readonly #validating: readonly AdmissionPlugin[]

  /**
   * In the order of the list; equal names throw. `rules` are those that upstream's storage checks: they change last, when all
   * plugins have spoken, and check first.
   */
  constructor(plugins: readonly AdmissionPlugin[], rules: readonly AdmissionPlugin[] = []) {
    const names = new Set([...plugins, ...rules].map(({ name }) => name))
    if (names.size !== plugins.length + rules.length) throw new Error('two admission plugins have the same name')
    this.#mutating = [...plugins, ...rules].filter(({ mutate }) => mutate !== undefined)
    this.#validating = [...rules, ...plugins].filter(({ validate }) => validate !== undefined)
  }

  async mutate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#mutating) await plugin.mutate!(attributes)
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    for (const plugin of this.#validating) await plugin.validate!(attributes)
  }
}

/** `pods`, `deployments.apps` with the subresource after a slash. */
export function isResource({ kind, subresource }: AdmissionAttributes, resource: string, group = ''): boolean {
  return subresource === '' && kind.resource === resource && kind.group === group
}

/** Nothing changes but what the garbage collector needs to let an object go. */
export function isOnlyForCollection(object: KubernetesObject, old: KubernetesObject): boolean {
  const { ownerReferences, finalizers, managedFields, selfLink } = old.metadata
  const metadata = { ...object.metadata, ownerReferences, finalizers, managedFields, selfLink }
  return isSemanticallyEqual({ ...object, metadata }, old)
}

/** The 403 of a plugin that lets this write not through. */
export function refuse({ kind, name }: AdmissionAttributes, why: string): StatusError {
  return forbidden({ group: kind.group, resource: kind.resource }, name, why)
}
