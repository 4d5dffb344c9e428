/** Brings pod statuses to the API server: only what changed, newest state last, again until it is there. */
import type { Clock } from '#base/clock.ts'
import type { Logger } from '#base/log.ts'
import type { Pod, PodCondition, PodStatus } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { isConflict, isNotFound } from '#machinery/status-error.ts'
import { RESIZE_CONDITIONS } from './resize/resize-state.ts'
import { Semaphore } from './semaphore.ts'

export type StatusManagerOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** The object that shows the pod in the API server: itself, or a static pod's mirror; null while there is none. */
  apiPodOf(pod: Pod): Pod | null
}

type Entry = {
  pod: Pod
  /** The newest status; `written` is what the API server last took from us. */
  status: PodStatus
  written: string
  /** Types of the conditions in it. */
  conditions: readonly string[]
  sending: Promise<void> | null
}

/** Writes in flight: more would only queue in the API server. */
const WRITES_MAX = 8
const RETRY_MS = 1000

export class StatusManager {
  readonly #options: StatusManagerOptions
  readonly #entries = new Map<string, Entry>()
  readonly #writes = new Semaphore(WRITES_MAX)
  readonly #stop = new AbortController()

  constructor(options: StatusManagerOptions) {
    this.#options = options
  }

  /** The status that the pod has or will soon have in the API server. */
  get(podUid: string): PodStatus | undefined {
    return this.#entries.get(podUid)?.status
  }

  /** Queues the write; equal statuses cost nothing. `pod` is the API's newest version, whose status is compared. */
  set(pod: Pod, status: PodStatus): void {
    const { uid } = pod.metadata
    const entry: Entry = this.#entries.get(uid) ?? {
      pod,
      status,
      written: fingerprint(pod.status ?? {}),
      conditions: conditionTypes(pod.status),
      sending: null,
    }
    entry.pod = pod
    entry.status = status
    this.#entries.set(uid, entry)
    this.#send(entry)
  }

  /** A static pod's mirror is there: its status is compared and, where it differs, written. */
  observe(pod: Pod, mirror: Pod): void {
    const entry = this.#entries.get(pod.metadata.uid)
    if (!entry || entry.sending) return
    entry.written = fingerprint(mirror.status ?? {})
    this.#send(entry)
  }

  /** Resolves when the newest status is in the API server, or the pod is not there any more. */
  async flush(podUid: string): Promise<void> {
    while (this.#entries.get(podUid)?.sending) await this.#entries.get(podUid)!.sending
  }

  forget(podUid: string): void {
    this.#entries.delete(podUid)
  }

  stop(): void {
    this.#stop.abort(new Error('kubelet stopped'))
  }

  #send(entry: Entry): void {
    if (entry.sending || entry.written === fingerprint(entry.status)) return
    if (!this.#options.apiPodOf(entry.pod)) return
    entry.sending = this.#sendAll(entry).finally(() => {
      entry.sending = null
    })
  }

  async #sendAll(entry: Entry): Promise<void> {
    const { signal } = this.#stop
    while (!signal.aborted && this.#isCurrent(entry) && entry.written !== fingerprint(entry.status)) {
      const { status } = entry
      const pod = this.#options.apiPodOf(entry.pod)
      if (!pod) return
      try {
        const stale = [...entry.conditions, ...conditionTypes(pod.status)]
        await this.#writes.run(signal, () => this.#write(pod, withRemovals(status, pod.status ?? {}, stale), signal))
        entry.written = fingerprint(status)
        entry.conditions = conditionTypes(status)
      } catch (error) {
        if (signal.aborted) return
        // Gone, or another pod took its name: there is nobody left to tell.
        if (isNotFound(error) || isConflict(error)) {
          entry.written = fingerprint(status)
          continue
        }
        this.#options.log.warn('pod status could not be written', { pod: pod.metadata.name, error: String(error) })
        await this.#options.clock.sleep(RETRY_MS, signal).catch(() => {}) // Aborted: the loop ends.
      }
    }
  }

  #isCurrent(entry: Entry): boolean {
    return this.#entries.get(entry.pod.metadata.uid) === entry
  }

  /** The uid makes the patch fail rather than touch a new pod of the same name. */
  async #write(pod: Pod, status: object, signal: AbortSignal): Promise<void> {
    const { name, namespace = 'default', uid } = pod.metadata
    const body = { metadata: { uid }, status }
    await this.#options.client.patch(PODS, namespace, name, 'strategic', body, { subresource: 'status' }, signal)
  }
}

/**
 * Fields that are no more are patched to null; lists of conditions are merged by type, so others' stay and those of a resize that is
 * over (`stale` names what the API server may still have) are deleted. Addresses are replaced as a
 * whole: merged by their key, those of a sandbox that is gone would stay beside the new ones.
 */
export function withRemovals(status: PodStatus, before: PodStatus, stale: readonly string[]): Record<string, unknown> {
  const gone = Object.keys(before).filter((key) => !(key in status) && REMOVABLE.has(key))
  const present = new Set(conditionTypes(status))
  const over = RESIZE_CONDITIONS.filter((type) => stale.includes(type) && !present.has(type))
  const conditions = status.conditions && [
    ...status.conditions.map((condition) => ({ reason: null, message: null, ...condition })),
    ...over.map((type) => ({ $patch: 'delete', type })),
  ]
  return {
    ...status,
    ...(conditions && { conditions }),
    ...(status.resources && { resources: withoutOld(status.resources, before.resources) }),
    ...(status.podIPs && { podIPs: [...status.podIPs, REPLACE_LIST] }),
    ...(status.hostIPs && { hostIPs: [...status.hostIPs, REPLACE_LIST] }),
    ...Object.fromEntries(gone.map((key) => [key, null])),
  }
}

/** Maps are merged: what is no more is named as null. */
function withoutOld(now: object, before: object = {}): object {
  const values = now as Readonly<Record<string, unknown>>
  const gone = Object.keys(before).filter((key) => !(key in now))
  const merged = Object.entries(before).filter(([key, old]) => isMap(old) && isMap(values[key]))
  return {
    ...now,
    ...Object.fromEntries(merged.map(([key, old]) => [key, withoutOld(values[key] as object, old as object)])),
    ...Object.fromEntries(gone.map((key) => [key, null])),
  }
}

const isMap = (value: unknown): boolean => typeof value === 'object' && value !== null

const conditionTypes = (status: PodStatus | undefined): string[] => (status?.conditions ?? []).map(({ type }) => type)

/** Strategic merge: the list takes the place of the old one. */
const REPLACE_LIST = { $patch: 'replace' }

const REMOVABLE = new Set(['reason', 'message', 'podIP', 'podIPs'])

/** Equal texts mean that nothing has to be written; times of probes and the order of keys do not count. */
function fingerprint(status: PodStatus): string {
  const { conditions = [], ...rest } = status
  const sorted = conditions.toSorted((a: PodCondition, b: PodCondition) => (a.type < b.type ? -1 : 1))
  return JSON.stringify(sortKeys({ ...rest, conditions: sorted }))
}

/** Empty lists and objects, and unset booleans, count as absent: the API server drops them. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
    .map(([key, inner]): [string, unknown] => [key, sortKeys(inner)])
    .filter(([, inner]) => inner !== null && inner !== '' && !isEmpty(inner))
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.keys(value).length === 0
