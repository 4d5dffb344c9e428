/** Finds how many pods a pod's controller wants, for built-in kinds and for any kind with a scale subresource. */
import type { Deployment, ReplicaSet, StatefulSet } from '#api/apps/v1.gen.ts'
import type { Pod, ReplicationController } from '#api/core/v1.gen.ts'
import { DEPLOYMENTS, REPLICASETS, REPLICATIONCONTROLLERS, STATEFULSETS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Informer, InformerFactory } from '#client/informer.ts'
import type { APIResourceList, OwnerReference } from '#machinery/meta/v1.gen.ts'
import { isNotFound } from '#machinery/status-error.ts'
import { controllerOf } from '../object-key.ts'

export type Scale = { readonly total: number; readonly unmanaged: readonly string[] }
type OwnScale = { readonly uid: string; readonly replicas: number }

export class ScaleFinder {
  readonly #client: Client
  readonly #replicaSets: Informer<ReplicaSet>
  readonly #deployments: Informer<Deployment>
  readonly #statefulSets: Informer<StatefulSet>
  readonly #replicationControllers: Informer<ReplicationController>

  constructor(client: Client, informers: InformerFactory) {
    this.#client = client
    this.#replicaSets = informers.informer(REPLICASETS)
    this.#deployments = informers.informer(DEPLOYMENTS)
    this.#statefulSets = informers.informer(STATEFULSETS)
    this.#replicationControllers = informers.informer(REPLICATIONCONTROLLERS)
  }

  /** Calls `onChange` with the namespace in which a scale may have changed. */
  watch(onChange: (namespace: string) => void): void {
    for (const informer of [this.#replicaSets, this.#deployments, this.#statefulSets, this.#replicationControllers])
      watchReplicas(informer as Informer<ReplicaSet>, onChange)
  }

  async scaleOf(pods: readonly Pod[], signal: AbortSignal): Promise<Scale> {
    const known = new Set<string>()
    const scales = new Map<string, number>()
    const unmanaged: string[] = []
    for (const pod of pods) {
      const owner = controllerOf(pod)
      if (owner === undefined) unmanaged.push(pod.metadata.name)
      if (owner === undefined || known.has(owner.uid)) continue
      const scale = await this.#find(owner, pod.metadata.namespace ?? '', signal)
      if (scale === null) throw new Error(`found no controllers for pod ${JSON.stringify(pod.metadata.name)}`)
      known.add(owner.uid)
      scales.set(scale.uid, scale.replicas)
    }
    return { total: [...scales.values()].reduce((sum, replicas) => sum + replicas, 0), unmanaged }
  }

  async #find(owner: OwnerReference, namespace: string, signal: AbortSignal): Promise<OwnScale | null> {
    const key = `${namespace}/${owner.name}`
    const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0] : ''
    if (owner.kind === 'ReplicaSet' && group === 'apps') return this.#ofReplicaSet(key, owner.uid)
    if (owner.kind === 'StatefulSet' && group === 'apps') return ofSet(this.#statefulSets.get(key), owner.uid)
    if (owner.kind === 'ReplicationController' && group === '')
      return ofSet(this.#replicationControllers.get(key), owner.uid)
    return this.#ofSubresource(owner, namespace, signal)
  }

  /** Of a Deployment's ReplicaSets only the Deployment's own number counts. */
  #ofReplicaSet(key: string, uid: string): OwnScale | null {
    const set = this.#replicaSets.get(key)
    const scale = ofSet(set, uid)
    const owner = set === undefined ? undefined : controllerOf(set)
    if (scale === null || owner?.kind !== 'Deployment') return scale
    return ofSet(this.#deployments.get(`${set!.metadata.namespace}/${owner.name}`), owner.uid) ?? scale
  }

  async #ofSubresource(owner: OwnerReference, namespace: string, signal: AbortSignal): Promise<OwnScale | null> {
    const prefix = owner.apiVersion.includes('/') ? `/apis/${owner.apiVersion}` : `/api/${owner.apiVersion}`
    try {
      const { resources } = await this.#client.getPath<APIResourceList>(prefix, signal)
      const found = resources.find(({ kind, name }) => kind === owner.kind && !name.includes('/'))
      if (found === undefined || !resources.some(({ name }) => name === `${found.name}/scale`)) return null
      const scope = found.namespaced ? `/namespaces/${namespace}` : ''
      const path = `${prefix}${scope}/${found.name}/${encodeURIComponent(owner.name)}/scale`
      const scale = await this.#client.getPath<{ metadata: { uid: string }; spec?: { replicas?: number } }>(
        path,
        signal,
      )
      return scale.metadata.uid === owner.uid ? { uid: owner.uid, replicas: scale.spec?.replicas ?? 0 } : null
    } catch (error) {
      if (isNotFound(error)) return null
      throw error
    }
  }
}

type Replicated = { metadata: { uid: string }; spec?: { replicas?: number } }

function ofSet(set: Replicated | undefined, uid: string): OwnScale | null {
  return set === undefined || set.metadata.uid !== uid ? null : { uid, replicas: set.spec?.replicas ?? 1 }
}

function watchReplicas(informer: Informer<ReplicaSet>, onChange: (namespace: string) => void): void {
  const changed = ({ metadata }: ReplicaSet): void => onChange(metadata.namespace ?? '')
  informer.addHandler({
    added: changed,
    updated: (set, old) => {
      if (set.spec.replicas !== old.spec.replicas) changed(set)
    },
    deleted: changed,
  })
}
