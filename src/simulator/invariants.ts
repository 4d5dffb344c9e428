/** What must hold at every write of a simulated cluster, whatever crashes; each violation says what was seen and when. */
import type { Deployment, ReplicaSet } from '#api/apps/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'
import type { StoreEvent } from '#control-plane/store/store.ts'
import type { ObjectMeta } from '#machinery/meta/v1.gen.ts'
import { RecentMax } from './recent-max.ts'

/** A controller may act on what it saw this long ago: the longest backoff of a watch that it has to open again. */
const STALE_MS_MAX = 60_000

const PODS = '/registry/pods/'
const REPLICASETS = '/registry/replicasets/'
const DEPLOYMENTS = '/registry/deployments/'

type PodFacts = { readonly uid: string; readonly node: string; readonly owner: string; readonly isActive: boolean }
type ReplicaSetFacts = { readonly owner: string; readonly replicas: number }

export class Invariants {
  readonly #now: () => number
  readonly #pods = new Map<string, PodFacts>()
  readonly #activePods = new Map<string, number>()
  readonly #replicaSets = new Map<string, ReplicaSetFacts>()
  /** By the owner's uid: how many it may have had lately. */
  readonly #podLimits = new Map<string, RecentMax>()
  readonly #deploymentLimits = new Map<string, RecentMax>()
  readonly #nodeOfRunning = new Map<string, string>()
  readonly violations: string[] = []

  constructor(now: () => number) {
    this.#now = now
  }

  observe(event: StoreEvent): void {
    if (event.key.startsWith(PODS)) this.#podWritten(event)
    else if (event.key.startsWith(REPLICASETS)) this.#replicaSetWritten(event)
    else if (event.key.startsWith(DEPLOYMENTS)) this.#deploymentWritten(event)
  }

  /** A node has started the containers of this pod. */
  podStarted(uid: string, node: string): void {
    const other = this.#nodeOfRunning.get(uid)
    if (other !== undefined && other !== node) this.#violated(`pod ${uid} runs on ${other} and on ${node}`)
    this.#nodeOfRunning.set(uid, node)
  }

  podStopped(uid: string): void {
    this.#nodeOfRunning.delete(uid)
  }

  #podWritten({ key, type, entry }: StoreEvent): void {
    const old = this.#pods.get(key)
    if (old?.isActive === true) this.#count(old.owner, -1)
    if (type === 'delete') return void this.#pods.delete(key)
    const pod = decode<Pod>(entry.value)
    const facts = factsOf(pod)
    this.#pods.set(key, facts)
    if (old?.uid === facts.uid && old.node !== '' && old.node !== facts.node)
      this.#violated(`${key} moved from ${old.node} to ${facts.node === '' ? 'no node' : facts.node}`)
    if (!facts.isActive) return
    const active = this.#count(facts.owner, 1)
    if (old !== undefined) return
    const limit = this.#podLimits.get(facts.owner)?.max(this.#now())
    if (limit !== undefined && active > limit) this.#violated(`${key} is pod ${active} of a ReplicaSet of ${limit}`)
  }

  #replicaSetWritten({ key, type, entry }: StoreEvent): void {
    const old = this.#replicaSets.get(key)
    if (type === 'delete') return void this.#replicaSets.delete(key)
    const { metadata, spec } = decode<ReplicaSet>(entry.value)
    const facts = { owner: controllerOf(metadata), replicas: spec.replicas ?? 1 }
    this.#replicaSets.set(key, facts)
    limitOf(this.#podLimits, metadata.uid).set(facts.replicas, this.#now())
    const limit = this.#deploymentLimits.get(facts.owner)?.max(this.#now())
    if (limit === undefined || facts.replicas <= (old?.replicas ?? 0)) return
    let total = 0
    for (const other of this.#replicaSets.values()) if (other.owner === facts.owner) total += other.replicas
    if (total > limit) this.#violated(`${key} brings its Deployment to ${total} replicas, allowed are ${limit}`)
  }

  #deploymentWritten({ type, entry }: StoreEvent): void {
    if (type === 'delete') return
    const { metadata, spec } = decode<Deployment>(entry.value)
    const replicas = spec.replicas ?? 1
    limitOf(this.#deploymentLimits, metadata.uid).set(replicas + surgeOf(spec, replicas), this.#now())
  }

  #count(owner: string, change: 1 | -1): number {
    const count = (this.#activePods.get(owner) ?? 0) + change
    this.#activePods.set(owner, count)
    return count
  }

  #violated(what: string): void {
    this.violations.push(`${new Date(this.#now()).toISOString()} ${what}`)
  }
}

function limitOf(limits: Map<string, RecentMax>, uid: string): RecentMax {
  let limit = limits.get(uid)
  if (limit === undefined) limits.set(uid, (limit = new RecentMax(STALE_MS_MAX)))
  return limit
}

function factsOf(pod: Pod): PodFacts {
  const phase = pod.status?.phase
  return {
    uid: pod.metadata.uid,
    node: pod.spec.nodeName ?? '',
    owner: controllerOf(pod.metadata),
    isActive: pod.metadata.deletionTimestamp === undefined && phase !== 'Succeeded' && phase !== 'Failed',
  }
}

function controllerOf(metadata: ObjectMeta): string {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid ?? ''
}

/** A percentage is rounded up, as the Deployment controller does. */
export function surgeOf(spec: Deployment['spec'], replicas: number): number {
  if (spec.strategy?.type === 'Recreate') return 0
  const surge = spec.strategy?.rollingUpdate?.maxSurge ?? '25%'
  return typeof surge === 'number' ? surge : Math.ceil((Number.parseInt(surge, 10) * replicas) / 100)
}

function decode<T>(value: Buffer): T {
  return JSON.parse(value.toString()) as T
}
