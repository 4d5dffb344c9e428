/** Decides whether a pod's sandbox can be kept or a new one has to be made. */
import type { Pod } from '#api/core/v1.gen.ts'
import { isHostNetwork } from './pod-facts.ts'
import type { PodState } from './pod-state.ts'

export type SandboxDecision =
  | { readonly keep: true; readonly id: string }
  /** `reason` is the message of the condition PodReadyToStartContainers. */
  | { readonly keep: false; readonly attempt: number; readonly reason: string }

export function decideSandbox(pod: Pod, state: PodState): SandboxDecision {
  const newest = state.sandboxes[0]
  if (!newest) return { keep: false, attempt: 0, reason: 'No sandbox for pod can be found. Need to start a new one' }
  const again = (reason: string): SandboxDecision => ({ keep: false, attempt: newest.attempt + 1, reason })
  const ready = state.sandboxes.filter((sandbox) => sandbox.ready).length
  if (ready > 1) return again('Multiple sandboxes are ready for Pod. Need to reconcile them')
  if (!newest.ready) return again('No ready sandbox for pod can be found. Need to start a new one')
  if (newest.hostNetwork !== isHostNetwork(pod)) return again('Sandbox for pod has changed. Need to start a new one')
  if (!isHostNetwork(pod) && newest.ips.length === 0)
    return again('Sandbox for pod has no IP address. Need to start a new one')
  return { keep: true, id: newest.id }
}
