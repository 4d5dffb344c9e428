/** Ends one running container: preStop hook, stop signal, and after the grace period SIGKILL. */
import type { Container, Pod } from '#api/core/v1.gen.ts'
import { withDeadline } from '../deadline.ts'
import { runHook } from '../lifecycle/run-hook.ts'
import type { KillReason } from '../pods/container-trouble.ts'
import { DEFAULT_GRACE_PERIOD_SECONDS, findContainer, formatPod } from '../pods/pod-facts.ts'
import type { ContainerRecord } from '../runtime/runtime-service.ts'
import { POD_TERMINATION_GRACE_PERIOD } from '../runtime/labels.ts'
import type { Semaphore } from '../semaphore.ts'
import type { WorkerContext } from '../worker-context.ts'

/** Even without grace a container gets a moment to react to the signal. */
const GRACE_SECONDS_MIN = 2

export type KillInputs = {
  readonly pod: Pod
  readonly container: ContainerRecord
  readonly podIp: string
  readonly reason?: KillReason
  /** Text of the event; absent: `Stopping container …`. */
  readonly message?: string
  /** What deletion or eviction ask for instead of the pod's own grace period. */
  readonly graceSeconds?: number
  /** Hooks run once, events are told once, even when a shorter grace period begins the kill anew. */
  readonly alreadyKilling: Set<string>
  readonly execs: Semaphore
  readonly signal: AbortSignal
  /** Sidecars wait here until those that start after them have ended. */
  waitForTurn?(graceMs: number): Promise<void>
}

export async function killContainer(context: WorkerContext, inputs: KillInputs): Promise<void> {
  const { pod, container, alreadyKilling, signal } = inputs
  const spec = findContainer(pod, container.name)?.container as Container | undefined
  const isFirst = !alreadyKilling.has(container.id)
  alreadyKilling.add(container.id)
  if (isFirst) {
    const message = inputs.message ?? `Stopping container ${container.name}`
    context.event(pod, 'Normal', 'Killing', message, { name: container.name })
  }
  const { clock } = context
  const beganMs = clock.monotonic()
  const graceMs = graceSecondsOf(inputs, spec) * 1000
  const leftMs = (): number => graceMs - (clock.monotonic() - beganMs)
  if (isFirst && spec?.lifecycle?.preStop && graceMs > 0) await runPreStop(context, inputs, { spec, leftMs: leftMs() })
  if (leftMs() > 0) await inputs.waitForTurn?.(leftMs())
  const seconds = Math.max(Math.ceil(leftMs() / 1000), GRACE_SECONDS_MIN)
  await context.runtime.stopContainer(container.id, seconds, signal)
}

/** Probes may have a grace period of their own: a hung container need not get a minute to go. */
function graceSecondsOf({ pod, container, reason, graceSeconds }: KillInputs, spec: Container | undefined): number {
  if (graceSeconds !== undefined) return graceSeconds
  const probe =
    reason === 'LivenessProbe' ? spec?.livenessProbe : reason === 'StartupProbe' ? spec?.startupProbe : undefined
  if (probe?.terminationGracePeriodSeconds !== undefined) return probe.terminationGracePeriodSeconds
  const known = container.annotations[POD_TERMINATION_GRACE_PERIOD]
  return (
    pod.metadata.deletionGracePeriodSeconds ??
    pod.spec.terminationGracePeriodSeconds ??
    (known === undefined ? DEFAULT_GRACE_PERIOD_SECONDS : Number(known))
  )
}

/** A failing or hanging hook holds nothing up beyond the grace period. */
async function runPreStop(
  context: WorkerContext,
  { pod, container, podIp, execs, signal }: KillInputs,
  { spec, leftMs }: { readonly spec: Container; readonly leftMs: number },
): Promise<void> {
  const target = { containerId: container.id, container: spec, podIp, podName: formatPod(pod), execs }
  const limits = { ms: leftMs, signal, message: 'the preStop hook did not end within the grace period' }
  try {
    await withDeadline(context.clock, limits, (inner) => runHook(spec.lifecycle!.preStop!, target, context, inner))
  } catch (error) {
    signal.throwIfAborted()
    context.log.info('preStop hook failed', { pod: formatPod(pod), error: String(error) })
    context.event(pod, 'Warning', 'FailedPreStopHook', 'PreStopHook failed', spec)
  }
}
