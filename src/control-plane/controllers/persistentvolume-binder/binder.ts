/** Writes what the volume binder decides; a volume is always written before its claim. */
import type { PersistentVolume, PersistentVolumeClaim } from '#api/core/v1.gen.ts'
import { bindVolume } from '#api/core/persistent-volume/binding.ts'
import { PERSISTENTVOLUMECLAIMS, PERSISTENTVOLUMES } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { EventRecorder } from '#client/event-recorder.ts'
import { referenceTo } from '../object-key.ts'
import { planClaimStatus } from './claim-status.ts'
import type { NewestObjects } from './newest-objects.ts'
import { bindClaim, type ClaimEvent } from './plan-claim.ts'
import { unbindVolume, type Failure } from './plan-volume.ts'

export type BinderOptions = {
  readonly client: Client
  readonly events: EventRecorder
  readonly claims: NewestObjects<PersistentVolumeClaim>
  readonly volumes: NewestObjects<PersistentVolume>
}

type VolumePhase = 'Available' | 'Bound' | 'Released' | 'Failed'

export class Binder {
  readonly #options: BinderOptions

  constructor(options: BinderOptions) {
    this.#options = options
  }

  /** Can be broken off after each write, and taken up again with any later version of both. */
  async bind(volume: PersistentVolume, claim: PersistentVolumeClaim, signal: AbortSignal): Promise<void> {
    const wanted = bindVolume(volume, claim)
    const reserved = wanted === volume ? volume : await this.updateVolume(wanted, signal)
    const bound = await this.setPhase(reserved, 'Bound', '', signal)
    const named = bindClaim(claim, bound)
    const written = named === claim ? claim : await this.updateClaim(named, signal)
    await this.setClaimStatus(written, 'Bound', bound, signal)
  }

  async unbind(volume: PersistentVolume, signal: AbortSignal): Promise<void> {
    await this.setPhase(await this.updateVolume(unbindVolume(volume), signal), 'Available', '', signal)
  }

  /** The event tells of the change, not of each look at it. */
  async lose(claim: PersistentVolumeClaim, event: ClaimEvent, signal: AbortSignal): Promise<void> {
    if (claim.status?.phase === 'Lost') return
    await this.setClaimStatus(claim, 'Lost', null, signal)
    this.tellClaim(claim, event)
  }

  async fail(volume: PersistentVolume, { reason, message }: Failure, signal: AbortSignal): Promise<void> {
    if (volume.status?.phase === 'Failed') return
    const failed = await this.setPhase(volume, 'Failed', message, signal)
    this.tellVolume(failed, { type: 'Warning', reason, message })
  }

  async setPhase(
    volume: PersistentVolume,
    phase: VolumePhase,
    message: string,
    signal: AbortSignal,
  ): Promise<PersistentVolume> {
    if (volume.status?.phase === phase) return volume
    const { message: _old, ...before } = volume.status ?? {}
    const status = { ...before, phase, ...(message === '' ? {} : { message }) }
    const { client, volumes } = this.#options
    return volumes.wrote(await client.updateStatus<PersistentVolume>(PERSISTENTVOLUMES, { ...volume, status }, signal))
  }

  async setClaimStatus(
    claim: PersistentVolumeClaim,
    phase: 'Pending' | 'Bound' | 'Lost',
    volume: PersistentVolume | null,
    signal: AbortSignal,
  ): Promise<void> {
    const status = planClaimStatus(claim, phase, volume)
    if (status === null) return
    const { client, claims } = this.#options
    const changed = { ...claim, status }
    claims.wrote(await client.updateStatus<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, changed, signal))
  }

  async updateClaim(claim: PersistentVolumeClaim, signal: AbortSignal): Promise<PersistentVolumeClaim> {
    const { client, claims } = this.#options
    return claims.wrote(await client.update<PersistentVolumeClaim>(PERSISTENTVOLUMECLAIMS, claim, signal))
  }

  async updateVolume(volume: PersistentVolume, signal: AbortSignal): Promise<PersistentVolume> {
    const { client, volumes } = this.#options
    return volumes.wrote(await client.update<PersistentVolume>(PERSISTENTVOLUMES, volume, signal))
  }

  tellClaim(claim: PersistentVolumeClaim, { type, reason, message }: ClaimEvent): void {
    this.#options.events.event(referenceTo(PERSISTENTVOLUMECLAIMS, claim), type, reason, message)
  }

  tellVolume(volume: PersistentVolume, { type, reason, message }: ClaimEvent): void {
    this.#options.events.event(referenceTo(PERSISTENTVOLUMES, volume), type, reason, message)
  }
}
