/** Writes which volumes a pod's claims get, and waits until controllers and provisioners have bound them. */
import type { Clock } from '#base/clock.ts'
import type { Node, PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { bindVolume, isFullyBound, SELECTED_NODE } from '#api/core/persistent-volume/binding.ts'
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf } from '#client/informer.ts'
import type { Lister } from '../lister.ts'
import type { AssumeCache } from './assume-cache.ts'
import { isReachableFrom } from './match-volume.ts'
import type { VolumePlan } from './plan-volumes.ts'

export type VolumeBinderOptions = {
  readonly client: Client
  readonly clock: Clock
  readonly claims: AssumeCache<PersistentVolumeClaim>
  readonly volumes: AssumeCache<PersistentVolume>
  readonly nodes: Lister<Node>
  readonly pods: Lister<Pod>
  /** Calls back after each change of a claim or a volume. */
  readonly watchVolumes: (changed: () => void) => void
}

/** Upstream's bindTimeoutSeconds; a provisioner may have to make a disk. */
const BIND_TIMEOUT_MS = 600_000
/** How often the pod itself is looked at while nothing happens to its volumes. */
const RECHECK_MS = 1000

/** Objects to write for a plan. */
export type PendingBinding = {
  readonly volumes: readonly PersistentVolume[]
  readonly claims: readonly PersistentVolumeClaim[]
  /** Claims that have to be bound before the pod is. */
  readonly awaited: readonly PersistentVolumeClaim[]
}

export class VolumeBinder {
  readonly #options: VolumeBinderOptions
  readonly #waiting = new Set<() => void>()

  constructor(options: VolumeBinderOptions) {
    this.#options = options
    options.watchVolumes(() => {
      for (const wake of this.#waiting) wake()
    })
  }

  /** From now on other pods see the volumes as taken. */
  assume({ bindings, provisions }: VolumePlan, nodeName: string): PendingBinding {
    const volumes = bindings
      .filter(({ volume, claim }) => volume.spec.claimRef?.uid !== claim.metadata.uid)
      .map(({ volume, claim }) => bindVolume(volume, claim))
    const claims = provisions.map(({ claim }) => ({
      ...claim,
      metadata: { ...claim.metadata, annotations: { ...claim.metadata.annotations, [SELECTED_NODE]: nodeName } },
    }))
    for (const volume of volumes) this.#options.volumes.assume(volume)
    for (const claim of claims) this.#options.claims.assume(claim)
    return { volumes, claims, awaited: [...bindings, ...provisions].map(({ claim }) => claim) }
  }

  forget({ volumes, claims }: PendingBinding): void {
    for (const volume of volumes) this.#options.volumes.forget(volume)
    for (const claim of claims) this.#options.claims.forget(claim)
  }

  /** Throws when a binding is refused, undone or takes too long: the pod is then scheduled anew. */
  async bind(pending: PendingBinding, pod: Pod, nodeName: string, signal: AbortSignal): Promise<void> {
    const { client, clock } = this.#options
    const written = new Map<string, number>()
    for (const volume of pending.volumes)
      written.set(volume.metadata.name, versionOf(await client.update(PERSISTENTVOLUMES, volume, signal)))
    for (const claim of pending.claims)
      written.set(keyOf(claim), versionOf(await client.update(PERSISTENTVOLUMECLAIMS, claim, signal)))
    const deadlineMs = clock.monotonic() + BIND_TIMEOUT_MS
    while (!this.#isBound(pending, written, pod, nodeName)) {
      if (clock.monotonic() >= deadlineMs) throw new Error('binding volumes: context deadline exceeded')
      await this.#nextChange(signal)
    }
  }

  #isBound(pending: PendingBinding, written: ReadonlyMap<string, number>, pod: Pod, nodeName: string): boolean {
    const { claims, volumes, nodes, pods } = this.#options
    const fail = (why: string): never => {
      throw new Error(`binding volumes: ${why}`)
    }
    if (pods.get(keyOf(pod))?.metadata.uid !== pod.metadata.uid) fail('pod does not exist any more')
    const node = nodes.get(nodeName) ?? fail(`node ${JSON.stringify(nodeName)} does not exist any more`)
    for (const { metadata } of pending.volumes) {
      const volume =
        volumes.reported(metadata.name) ?? fail(`pv ${JSON.stringify(metadata.name)} does not exist any more`)
      if (versionOf(volume) < written.get(metadata.name)!) return false
      if (!volume.spec.claimRef?.uid) fail(`ClaimRef got reset for pv ${JSON.stringify(metadata.name)}`)
    }
    const provisioned = new Set(pending.claims.map(keyOf))
    return pending.awaited.every((awaited) => {
      const key = keyOf(awaited)
      const claim = claims.reported(key) ?? fail(`pvc ${JSON.stringify(key)} does not exist any more`)
      if (versionOf(claim) < (written.get(key) ?? 0)) return false
      // The provisioner takes the annotation away when it cannot make the volume on that node.
      if (provisioned.has(key) && claim.metadata.annotations?.[SELECTED_NODE] !== nodeName)
        fail(`provisioning failed for PVC ${JSON.stringify(awaited.metadata.name)}`)
      const volume = volumes.reported(claim.spec.volumeName ?? '')
      if (volume !== undefined && !isReachableFrom(volume, node))
        fail(`pv ${JSON.stringify(volume.metadata.name)} node affinity doesn't match node ${JSON.stringify(nodeName)}`)
      return isFullyBound(claim) && volume !== undefined
    })
  }

  async #nextChange(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = this.#options.clock.setTimer(RECHECK_MS, resolve)
    this.#waiting.add(resolve)
    const onAbort = (): void => resolve()
    signal.addEventListener('abort', onAbort, { once: true })
    await promise
    signal.removeEventListener('abort', onAbort)
    this.#waiting.delete(resolve)
    timer.cancel()
    signal.throwIfAborted()
  }
}

const versionOf = (object: PersistentVolume | PersistentVolumeClaim): number => Number(object.metadata.resourceVersion)
