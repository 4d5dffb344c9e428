/** The pods that use each claim, also through an ephemeral volume. */
import type { PersistentVolumeClaim, Pod } from '#api/core/v1.gen.ts'
import { claimsOf } from '#api/core/pod/claims.ts'
import { keyOf, type Informer } from '#client/informer.ts'

export class PodsByClaim {
  readonly #pods: Informer<Pod>
  readonly #index: string

  constructor(pods: Informer<Pod>, controller: string) {
    this.#pods = pods
    this.#index = `${controller}/claim`
    pods.addIndex(this.#index, (pod) => claimKeysOf(pod))
  }

  of(claim: PersistentVolumeClaim): Pod[] {
    return this.#pods.byIndex(this.#index, keyOf(claim))
  }
}

export function claimKeysOf(pod: Pod): string[] {
  return [...new Set(claimsOf(pod).map(({ name }) => `${pod.metadata.namespace}/${name}`))]
}
