/** Binds the pod to its node through the API server. */
import type { Pod } from '#api/core/v1.gen.ts'
import { PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { CycleState, Plugin } from '../framework.ts'

export const defaultBinder: Plugin = {
  name: 'DefaultBinder',
  async bind(_state: CycleState, pod: Pod, node: string, client: Client, signal: AbortSignal): Promise<boolean> {
    const { namespace, name, uid } = pod.metadata
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { name, namespace, uid },
      target: { apiVersion: 'v1', kind: 'Node', name: node },
    }
    await client.createSubresource(PODS, namespace!, name, 'binding', binding, signal)
    return true
  },
}
