/** The pods of each node, for controllers that act when a node changes. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { Informer } from '#client/informer.ts'

export class PodsByNode {
  readonly #pods: Informer<Pod>
  readonly #index: string

  constructor(pods: Informer<Pod>, controller: string) {
    this.#pods = pods
    this.#index = `${controller}/node`
    pods.addIndex(this.#index, ({ spec }) => (spec.nodeName === undefined ? [] : [spec.nodeName]))
  }

  of(node: string): Pod[] {
    return this.#pods.byIndex(this.#index, node)
  }
}
