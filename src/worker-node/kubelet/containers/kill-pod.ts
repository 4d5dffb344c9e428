/** Ends all containers of a pod side by side, sidecars last and in reverse order, then its sandboxes. */
import type { Pod } from '#api/core/v1.gen.ts'
import { containersOf } from '../pods/pod-facts.ts'
import type { PodState } from '../pods/pod-state.ts'
import type { Semaphore } from '../semaphore.ts'
import type { WorkerContext } from '../worker-context.ts'
import { withDeadline } from '../deadline.ts'
import { killContainer } from './kill-container.ts'

export type KillPodInputs = {
  readonly pod: Pod
  readonly state: PodState
  readonly graceSeconds?: number
  readonly alreadyKilling: Set<string>
  readonly execs: Semaphore
  readonly signal: AbortSignal
}

export async function killPod(context: WorkerContext, inputs: KillPodInputs): Promise<void> {
  const { pod, state } = inputs
  const running = state.containers.filter(({ state: now }) => now !== 'exited')
  const ended = new Map(running.map(({ id }) => [id, Promise.withResolvers<void>()]))
  const rank = startOrder(pod)
  const podIp = state.sandboxes[0]?.ips[0] ?? pod.status?.podIP ?? ''
  await Promise.all(
    running.map(async (container) => {
      const later = running.filter(({ name }) => (rank.get(name) ?? 0) > (rank.get(container.name) ?? 0))
      const others = later.map(({ id }) => ended.get(id)!.promise)
      const waitForTurn = (graceMs: number): Promise<void> => waitFor(context, others, graceMs, inputs.signal)
      try {
        await killContainer(context, { ...inputs, container, podIp, waitForTurn })
      } finally {
        ended.get(container.id)!.resolve()
      }
    }),
  )
  await context.hostPorts?.remove(pod.metadata.uid)
  await Promise.all(state.sandboxes.filter(({ ready }) => ready).map(({ id }) => context.runtime.stopPodSandbox(id)))
}

/** Regular containers end together and first; a sidecar before those it started after. */
function startOrder(pod: Pod): Map<string, number> {
  const order = new Map<string, number>()
  const sidecars = containersOf(pod).filter(({ kind }) => kind === 'sidecar')
  for (const [index, { container }] of sidecars.entries()) order.set(container.name, index)
  for (const { kind, container } of containersOf(pod))
    if (kind !== 'sidecar') order.set(container.name, sidecars.length)
  return order
}

async function waitFor(
  context: WorkerContext,
  others: readonly Promise<void>[],
  graceMs: number,
  signal: AbortSignal,
): Promise<void> {
  if (others.length === 0) return
  const limits = { ms: graceMs, signal, message: 'grace period is over' }
  await withDeadline(context.clock, limits, () => Promise.all(others)).catch(() => signal.throwIfAborted())
}
