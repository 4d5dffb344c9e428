/** What a Job's pod failure policy says of a failed pod. */
import type {
  PodFailurePolicy,
  PodFailurePolicyOnExitCodesRequirement,
  PodFailurePolicyRule,
} from '#api/batch/v1.gen.ts'
import type { Pod } from '#api/core/v1.gen.ts'

export type PolicyMatch = {
  readonly action: 'Ignore' | 'FailJob' | 'FailIndex' | 'Count' | null
  /** Whether the failure counts against the backoff limit. */
  readonly counts: boolean
  /** Why the Job fails, for FailJob. */
  readonly message: string
}

const NO_MATCH: PolicyMatch = { action: null, counts: true, message: '' }

export function matchFailurePolicy(policy: PodFailurePolicy | undefined, pod: Pod): PolicyMatch {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const cause = causeOf(rule, pod)
    if (cause === null) continue
    const action = rule.action as PolicyMatch['action']
    return { action, counts: action !== 'Ignore', message: `${cause} matching ${action} rule at index ${index}` }
  }
  return NO_MATCH
}

function causeOf({ onExitCodes, onPodConditions }: PodFailurePolicyRule, pod: Pod): string | null {
  const name = `${pod.metadata.namespace}/${pod.metadata.name}`
  if (onExitCodes !== undefined) {
    const failed = failedContainer(pod, onExitCodes)
    return failed === null ? null : `Container ${failed.name} for pod ${name} failed with exit code ${failed.exitCode}`
  }
  const condition = pod.status?.conditions?.find(({ type, status }) =>
    onPodConditions?.some((pattern) => pattern.type === type && (pattern.status ?? 'True') === status),
  )
  return condition === undefined ? null : `Pod ${name} has condition ${condition.type}`
}

function failedContainer(
  { status }: Pod,
  { containerName, operator, values }: PodFailurePolicyOnExitCodesRequirement,
): { name: string; exitCode: number } | null {
  for (const { name, state } of [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])]) {
    const exitCode = state?.terminated?.exitCode ?? 0
    if (exitCode === 0 || (containerName !== undefined && containerName !== name)) continue
    if (values.includes(exitCode) === (operator === 'In')) return { name, exitCode }
  }
  return null
}
