/** Decides which pods of a node would have to go for another pod, and on which node that hurts least. */
import type { Pod } from '#api/core/v1.gen.ts'
import type { PodDisruptionBudget } from '#api/policy/v1.gen.ts'
import { matcherOf } from '#machinery/selectors/label-selector.ts'
import type { PodInfo } from '../cache/node-info.ts'
import { unresolvable, type Rejection } from '../framework.ts'
import type { Trial } from '../pod-filters.ts'
import { priorityOf } from '../pod-priority.ts'

/** A node with the pods that would have to go, most important first. */
export type Candidate = { readonly node: string; readonly victims: readonly PodInfo[]; readonly violations: number }

/** The fewest pods of lower priority whose absence lets the pod in, or why even the absence of all of them would not. */
export function findVictims(pod: Pod, trial: Trial, budgets: readonly PodDisruptionBudget[]): Candidate | Rejection {
  const lower = [...trial.node.pods()].filter((info) => priorityOf(info.pod) < priorityOf(pod)).toSorted(byImportance)
  if (lower.length === 0) return unresolvable('No preemption victims found for incoming pod')
  for (const info of lower) trial.remove(info)
  const rejection = trial.check()
  if (rejection !== null) return rejection
  const { violating, others } = splitByBudget(lower, budgets)
  // The most important pods get their place back first, those that a disruption budget protects before all others.
  const doomed = violating.filter((info) => !takesBack(trial, info))
  const victims = [...doomed, ...others.filter((info) => !takesBack(trial, info))]
  if (victims.length === 0)
    return unresolvable(`expected at least one victim pod on node ${JSON.stringify(trial.node.name)}`)
  return { node: trial.node.name, victims: victims.toSorted(byImportance), violations: doomed.length }
}

function takesBack(trial: Trial, info: PodInfo): boolean {
  trial.add(info)
  if (trial.check() === null) return true
  trial.remove(info)
  return false
}

/** Pods whose budget is used up (by the victims before them too) violate it when they are evicted. */
export function splitByBudget(
  pods: readonly PodInfo[],
  budgets: readonly PodDisruptionBudget[],
): { violating: PodInfo[]; others: PodInfo[] } {
  const left = budgets
    .map((budget) => ({
      budget,
      matcher: matcherOf(budget.spec.selector),
      allowed: budget.status?.disruptionsAllowed ?? 0,
    }))
    .filter(({ matcher }) => !matcher.isEmpty)
  const [violating, others]: [PodInfo[], PodInfo[]] = [[], []]
  for (const info of pods) {
    const { namespace, labels, name } = info.pod.metadata
    const matching = left.filter(
      ({ budget, matcher }) =>
        budget.metadata.namespace === namespace &&
        matcher.matches(labels) &&
        // The eviction of this pod has been counted already.
        budget.status?.disruptedPods?.[name] === undefined,
    )
    for (const entry of matching) entry.allowed--
    const isViolation = matching.some(({ allowed }) => allowed < 0)
    ;(isViolation ? violating : others).push(info)
  }
  return { violating, others }
}

/** Higher priority first, then those that have run longest. */
function byImportance(a: PodInfo, b: PodInfo): number {
  return priorityOf(b.pod) - priorityOf(a.pod) || compare(startOf(a), startOf(b))
}

/** A pod that has not started counts as the youngest. */
const startOf = ({ pod }: PodInfo): string => pod.status?.startTime ?? '9999'
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** Lifts every priority above zero, so that a few victims are better than many whatever their priorities. */
const PRIORITY_OFFSET = 2 ** 31

/** Upstream's order of criteria: budgets, highest victim, sum of priorities, number of victims, latest start. */
export function selectCandidate(candidates: readonly Candidate[]): Candidate | null {
  const highest = ({ victims }: Candidate): number => priorityOf(victims[0]!.pod)
  const sum = ({ victims }: Candidate): number =>
    victims.reduce((total, { pod }) => total + priorityOf(pod) + PRIORITY_OFFSET, 0)
  let best: Candidate | null = null
  for (const candidate of candidates) {
    const order =
      best === null
        ? -1
        : candidate.violations - best.violations ||
          highest(candidate) - highest(best) ||
          sum(candidate) - sum(best) ||
          candidate.victims.length - best.victims.length ||
          // Victims are sorted: the first is the one of highest priority that has run longest.
          compare(startOf(best.victims[0]!), startOf(candidate.victims[0]!))
    if (order < 0) best = candidate
  }
  return best
}
