/** Binds claims to volumes that fit, asks provisioners for the others, and releases the volumes of claims that are gone. */
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { classOf, isFullyBound } from '#api/core/persistent-volume/binding.ts'
import { DEFAULT_STORAGE_CLASS, findDefaultClass } from '#api/default-class.ts'
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES, PODS, STORAGECLASSES } from '#api/resources.gen.ts'
import type { StorageClass } from '#api/storage/v1.gen.ts'
import type { Client } from '#client/client.ts'
import { keyOf, type Informer } from '#client/informer.ts'
import { isNotFound } from '#machinery/status-error.ts'
import type { Controller, ControllerContext, Enqueue, Result } from '../controller.ts'
import { isPodTerminal } from '../pods/pod-state.ts'
import { PodsByClaim } from '../pods/pods-by-claim.ts'
import { onAnyChange } from '../on-change.ts'
import { Binder } from './binder.ts'
import { NewestObjects } from './newest-objects.ts'
import { planClaim, type ClaimPlan, type ClaimView } from './plan-claim.ts'
import { planReclaim, planVolume } from './plan-volume.ts'
import { askProvisioner, planProvision, waitsForProvisioner } from './provisioner.ts'

const [CLAIM, VOLUME] = ['claim/', 'volume/'] as const
/** Upstream's --pvclaimbinder-sync-period: what waits is told of again and again. */
const SYNC_PERIOD_MS = 15_000
/** Claims and volumes by class, and volumes by the claim that they are reserved for. */
const [UNBOUND, FREE, RESERVED] = [
  'persistentvolume-binder/unbound',
  'persistentvolume-binder/free',
  'persistentvolume-binder/reserved',
] as const

export class PersistentVolumeBinderController implements Controller {
  readonly name = 'persistentvolume-binder-controller'
  /** One after the other: two claims at once could choose the same volume. */
  readonly workers = 1
  readonly #client: Client
  readonly #claimInformer: Informer<PersistentVolumeClaim>
  readonly #volumeInformer: Informer<PersistentVolume>
  readonly #classes: Informer<StorageClass>
  readonly #pods: PodsByClaim
  readonly #claims: NewestObjects<PersistentVolumeClaim>
  readonly #volumes: NewestObjects<PersistentVolume>
  readonly #binder: Binder
  #enqueue: Enqueue = () => {}

  constructor({ client, events, informers }: ControllerContext) {
    this.#client = client
    this.#claimInformer = informers.informer(PERSISTENTVOLUMECLAIMS)
    this.#volumeInformer = informers.informer(PERSISTENTVOLUMES)
    this.#classes = informers.informer(STORAGECLASSES)
    this.#pods = new PodsByClaim(informers.informer<Pod>(PODS), this.name)
    this.#claims = new NewestObjects(this.#claimInformer)
    this.#volumes = new NewestObjects(this.#volumeInformer)
    this.#binder = new Binder({ client, events, claims: this.#claims, volumes: this.#volumes })
    this.#claimInformer.addIndex(UNBOUND, (claim) => (isFullyBound(claim) ? [] : [classOf(claim)]))
    this.#volumeInformer.addIndex(FREE, (volume) => (volume.spec.claimRef === undefined ? [classOf(volume)] : []))
    this.#volumeInformer.addIndex(RESERVED, ({ spec: { claimRef } }) =>
      claimRef === undefined ? [] : [`${claimRef.namespace}/${claimRef.name}`],
    )
  }

  watch(enqueue: Enqueue): void {
    this.#enqueue = enqueue
    const onClaim = (claim: PersistentVolumeClaim): void => {
      enqueue(CLAIM + keyOf(claim))
      if (claim.spec.volumeName) enqueue(VOLUME + claim.spec.volumeName)
      // Also volumes that the claim does not name, or not yet: with it, or with its choice of another one, they are free again.
      for (const { metadata } of this.#volumeInformer.byIndex(RESERVED, keyOf(claim))) enqueue(VOLUME + metadata.name)
    }
    onAnyChange(this.#claimInformer, onClaim)
    this.#claimInformer.addHandler({ deleted: (claim) => this.#claims.forget(keyOf(claim)) })
    onAnyChange(this.#volumeInformer, (volume) => {
      const { claimRef } = volume.spec
      enqueue(VOLUME + volume.metadata.name)
      if (claimRef !== undefined) enqueue(`${CLAIM}${claimRef.namespace}/${claimRef.name}`)
      else if (volume.status?.phase === 'Available') this.#enqueueUnbound(classOf(volume))
    })
    this.#volumeInformer.addHandler({ deleted: ({ metadata }) => this.#volumes.forget(metadata.name) })
    onAnyChange(this.#classes, ({ metadata }) => {
      this.#enqueueUnbound(metadata.name)
      this.#enqueueUnbound('')
    })
  }

  #enqueueUnbound(storageClass: string): void {
    for (const claim of this.#claimInformer.byIndex(UNBOUND, storageClass)) this.#enqueue(CLAIM + keyOf(claim))
  }

  async reconcile(key: string, signal: AbortSignal): Promise<Result> {
    return key.startsWith(CLAIM)
      ? this.#syncClaim(key.slice(CLAIM.length), signal)
      : this.#syncVolume(key.slice(VOLUME.length), signal)
  }

  async #syncClaim(key: string, signal: AbortSignal): Promise<Result> {
    const claim = this.#claims.get(key)
    if (claim === undefined) return {}
    await this.#applyToClaim(claim, planClaim(claim, this.#viewOf(claim)), signal)
    return isFullyBound(this.#claims.get(key) ?? claim) ? {} : { requeueAfterMs: SYNC_PERIOD_MS }
  }

  #viewOf(claim: PersistentVolumeClaim): ClaimView {
    const { volumeName } = claim.spec
    const waiting = this.#pods.of(claim).filter((pod) => pod.spec.nodeName === undefined && !isPodTerminal(pod))
    return {
      named: volumeName ? this.#volumes.get(volumeName) : undefined,
      candidates: volumeName ? [] : this.#candidatesFor(claim),
      storageClass: this.#classes.get(classOf(claim)),
      defaultClass: findDefaultClass(this.#classes.list(), DEFAULT_STORAGE_CLASS),
      waitingPods: waiting.map(({ metadata }) => metadata.name),
    }
  }

  #candidatesFor(claim: PersistentVolumeClaim): PersistentVolume[] {
    return [...this.#volumes.byIndex(RESERVED, keyOf(claim)), ...this.#volumes.byIndex(FREE, classOf(claim))]
  }

  async #applyToClaim(claim: PersistentVolumeClaim, plan: ClaimPlan, signal: AbortSignal): Promise<void> {
    switch (plan.action) {
      case 'bind':
        return this.#binder.bind(plan.volume, claim, signal)
      case 'wait':
        if (plan.event !== undefined) this.#binder.tellClaim(claim, plan.event)
        return this.#binder.setClaimStatus(claim, 'Pending', null, signal)
      case 'use-class': {
        const spec = { ...claim.spec, storageClassName: plan.storageClass }
        await this.#binder.updateClaim({ ...claim, spec }, signal)
        return
      }
      case 'provision':
        return this.#provision(claim, plan.storageClass, signal)
      case 'lost':
        // Before data is given up for lost, the API server is asked itself.
        if (await this.#isVolumeThere(claim, signal)) throw new Error('the volume is not in the cache yet')
        return this.#binder.lose(claim, plan.event, signal)
    }
  }

  async #isVolumeThere({ metadata, spec }: PersistentVolumeClaim, signal: AbortSignal): Promise<boolean> {
    if (!spec.volumeName || this.#volumes.get(spec.volumeName) !== undefined) return false
    const volume = await orNull(this.#client.get<PersistentVolume>(PERSISTENTVOLUMES, '', spec.volumeName, signal))
    return volume !== null && (volume.spec.claimRef === undefined || volume.spec.claimRef.uid === metadata.uid)
  }

  async #provision(claim: PersistentVolumeClaim, name: string, signal: AbortSignal): Promise<void> {
    const plan = planProvision(name, this.#classes.get(name))
    if ('failure' in plan) {
      this.#binder.tellClaim(claim, { type: 'Warning', reason: 'ProvisioningFailed', message: plan.failure })
      return
    }
    const asked = askProvisioner(claim, plan.provisioner)
    if (asked !== claim) await this.#binder.updateClaim(asked, signal)
    const message = waitsForProvisioner(plan.provisioner)
    this.#binder.tellClaim(claim, { type: 'Normal', reason: 'ExternalProvisioning', message })
  }

  async #syncVolume(name: string, signal: AbortSignal): Promise<Result> {
    const volume = this.#volumes.get(name)
    if (volume === undefined) return {}
    const claim = await this.#claimOf(volume, signal)
    const plan = planVolume(volume, claim)
    switch (plan.action) {
      case 'set-phase':
        await this.#binder.setPhase(volume, plan.phase, '', signal)
        return {}
      case 'look-at-claim':
        this.#enqueue(CLAIM + keyOf(claim!))
        return {}
      case 'tell-mismatch':
        this.#tellMismatch(volume, claim!)
        return {}
      case 'unbind':
        await this.#binder.unbind(volume, signal)
        return {}
      case 'release':
        await this.#release(volume, signal)
        return {}
    }
  }

  /** A missing claim, or another one of that name, is asked for at the API server: it may only be new. */
  async #claimOf({ spec, status }: PersistentVolume, signal: AbortSignal): Promise<PersistentVolumeClaim | null> {
    if (!spec.claimRef?.uid) return null
    const { namespace = '', name = '', uid } = spec.claimRef
    const known = this.#claims.get(`${namespace}/${name}`)
    const isReleased = status?.phase === 'Released' || status?.phase === 'Failed'
    if (known?.metadata.uid === uid || (known === undefined && isReleased)) return known ?? null
    return orNull(this.#client.get<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, namespace, name, signal))
  }

  /** A volume that has failed stays so: whoever looks shall see it. */
  async #release(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    const isFailed = volume.status?.phase === 'Failed'
    const released = isFailed ? volume : await this.#binder.setPhase(volume, 'Released', '', signal)
    const failure = planReclaim(released)
    if (failure !== null) await this.#binder.fail(released, failure, signal)
  }

  #tellMismatch(volume: PersistentVolume, claim: PersistentVolumeClaim): void {
    const [volumeName, claimName] = [volume, claim].map(({ metadata }) => JSON.stringify(metadata.name))
    const [type, reason] = ['Warning', 'VolumeMismatch'] as const
    this.#binder.tellVolume(volume, {
      type,
      reason,
      message: `Cannot bind PersistentVolume to requested PersistentVolumeClaim ${claimName} due to incompatible volumeMode.`,
    })
    this.#binder.tellClaim(claim, {
      type,
      reason,
      message: `Cannot bind PersistentVolume ${volumeName} to requested PersistentVolumeClaim due to incompatible volumeMode.`,
    })
  }
}

async function orNull<T>(answer: Promise<T>): Promise<T | null> {
  try {
    return await answer
  } catch (error) {
    if (isNotFound(error)) return null
    throw error
  }
}
