/** Checks that a container that has ended for good is not reported as alive again. */
import type { Container, ContainerRestartRule, ContainerStatus, Pod, PodSpec } from '#api/core/v1.gen.ts'
import { isSidecar } from '#api/core/pod-spec/containers-of.ts'
import { type FieldError, forbiddenField } from '#machinery/field-error.ts'

export function validateStateTransitions(errors: FieldError[], pod: Pod, old: Pod): void {
  const spec = old.spec
  const now = pod.status ?? {}
  const before = old.status ?? {}
  if (!restartsAllContainers(spec)) {
    const mayRestart =
      (containers: readonly Container[] | undefined) =>
      (status: ContainerStatus): boolean =>
        shouldRestart(
          spec,
          containers?.find(({ name }) => name === status.name),
          status,
        )
    checkList(errors, [now.containerStatuses, before.containerStatuses], {
      path: 'status.containerStatuses',
      mayRestart: mayRestart(spec.containers),
    })
    checkList(errors, [now.initContainerStatuses, before.initContainerStatuses], {
      path: 'status.initContainerStatuses',
      mayRestart: mayRestart(spec.initContainers),
    })
  }
  checkList(errors, [now.ephemeralContainerStatuses, before.ephemeralContainerStatuses], {
    path: 'status.ephemeralContainerStatuses',
    mayRestart: () => false,
  })
}

type Transition = { readonly path: string; mayRestart(old: ContainerStatus): boolean }
type StatusLists = readonly [readonly ContainerStatus[] | undefined, readonly ContainerStatus[] | undefined]

function checkList(errors: FieldError[], [now = [], before = []]: StatusLists, { path, mayRestart }: Transition): void {
  for (const [i, old] of before.entries()) {
    if (old.state?.terminated === undefined) continue
    const status = now.find(({ name, state }) => name === old.name && state?.terminated === undefined)
    if (status !== undefined && !mayRestart(old))
      errors.push(forbiddenField(`${path}[${i}].state`, 'may not be transitioned to non-terminated state'))
  }
}

/** A rule of some container can start the whole pod over. */
function restartsAllContainers(spec: PodSpec): boolean {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some(({ restartPolicyRules = [] }) =>
    restartPolicyRules.some(({ action }) => action === 'RestartAllContainers'),
  )
}

/** Whether the kubelet starts the container again after this end: rules, then its own policy, then the pod's. */
export function shouldRestart(spec: PodSpec, container: Container | undefined, status: ContainerStatus): boolean {
  if (container === undefined) return false
  const exitCode = status.state?.terminated?.exitCode ?? 0
  if (container.restartPolicyRules?.some((rule) => matchesRule(rule, exitCode)) ?? false) return true
  const policy = isSidecar(container) ? 'Always' : (container.restartPolicy ?? spec.restartPolicy)
  if (policy === 'Never') return false
  return policy === 'OnFailure' ? exitCode !== 0 : true
}

function matchesRule({ exitCodes }: ContainerRestartRule, exitCode: number): boolean {
  if (exitCodes === undefined) return false
  const isListed = exitCodes.values?.includes(exitCode) ?? false
  return exitCodes.operator === 'In' ? isListed : exitCodes.operator === 'NotIn' && !isListed
}
