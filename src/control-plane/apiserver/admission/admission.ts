/** Admission: plugins that change and then check what is about to be written, in one ordered list. */
import type { KindDefinition } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { forbidden, type StatusError } from '#machinery/status-error.ts'
import type { Clock } from '#base/clock.ts'
import type { AdmissionMetrics, AdmissionStep, OperationDurations } from '../metrics/admission-metrics.ts'
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
  /** Puts something into the request's event in the audit log; the first one with a key stays. */
  annotate(key: string, value: string): void
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

/** Plugins are timed; the rules of storage are no admission to a client. */
export type AdmissionTiming = { readonly metrics: AdmissionMetrics; readonly clock: Clock }

type Call = (attributes: AdmissionAttributes) => void | Promise<void>
type Timed = { readonly call: Call; readonly durations: OperationDurations | null }

export class AdmissionChain {
  readonly #mutating: Step
  readonly #validating: Step

  /**
   * In the order of the list; equal names throw. `rules` are those that upstream's storage checks: they change last, when all
   * plugins have spoken, and check first.
   */
  constructor(
    plugins: readonly AdmissionPlugin[],
    rules: readonly AdmissionPlugin[] = [],
    timing: AdmissionTiming | null = null,
  ) {
    const names = new Set([...plugins, ...rules].map(({ name }) => name))
    if (names.size !== plugins.length + rules.length) throw new Error('two admission plugins have the same name')
    const callsOf = (all: readonly AdmissionPlugin[], verb: 'mutate' | 'validate', metrics?: AdmissionMetrics) =>
      all.flatMap((plugin): Timed[] => {
        const type = verb === 'mutate' ? 'admit' : verb
        if (plugin[verb] === undefined) return []
        const durations = metrics?.controllerDurations(plugin.name, type) ?? null
        return [{ call: (attributes) => plugin[verb]!(attributes), durations }]
      })
    const metrics = timing?.metrics
    this.#mutating = new Step('admit', timing, callsOf(plugins, 'mutate', metrics), callsOf(rules, 'mutate'))
    this.#validating = new Step('validate', timing, callsOf(plugins, 'validate', metrics), callsOf(rules, 'validate'))
  }

  async mutate(attributes: AdmissionAttributes): Promise<void> {
    await this.#mutating.runPlugins(attributes)
    await this.#mutating.runRules(attributes)
  }

  async validate(attributes: AdmissionAttributes): Promise<void> {
    await this.#validating.runRules(attributes)
    await this.#validating.runPlugins(attributes)
  }
}

class Step {
  readonly #plugins: readonly Timed[]
  readonly #rules: readonly Timed[]
  readonly #durations: OperationDurations | null
  readonly #clock: Clock | null

  constructor(type: AdmissionStep, timing: AdmissionTiming | null, plugins: readonly Timed[], rules: readonly Timed[]) {
    this.#plugins = plugins
    this.#rules = rules
    this.#durations = timing?.metrics.stepDurations(type) ?? null
    this.#clock = timing?.clock ?? null
  }

  async runRules(attributes: AdmissionAttributes): Promise<void> {
    for (const { call } of this.#rules) await call(attributes)
  }

  /** The end of one plugin is the begin of the next: the clock is read once for each. */
  async runPlugins(attributes: AdmissionAttributes): Promise<void> {
    const clock = this.#clock
    if (clock === null) {
      for (const { call } of this.#plugins) await call(attributes)
      return
    }
    const { operation } = attributes
    const startMs = clock.monotonic()
    let [beginMs, rejected, running] = [startMs, true, null as OperationDurations | null]
    try {
      for (const { call, durations } of this.#plugins) {
        running = durations
        const result = call(attributes)
        if (result !== undefined) await result
        const endMs = clock.monotonic()
        durations?.observe(operation, false, endMs - beginMs)
        beginMs = endMs
      }
      rejected = false
    } finally {
      const endMs = clock.monotonic()
      if (rejected) running?.observe(operation, true, endMs - beginMs)
      this.#durations?.observe(operation, rejected, endMs - startMs)
    }
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
