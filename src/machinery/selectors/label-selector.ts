/** Label selectors, from the text of a query and from `spec.selector`, as functions that decide whether labels match. */
import type { LabelSelector } from '../meta/v1.gen.ts'
import { parseLabelRequirements } from './label-selector-parser.ts'
import {
  compileRequirement,
  formatRequirement,
  requirementProblem,
  type LabelOperator,
  type LabelRequirement,
  type Labels,
} from './label-requirement.ts'

export type { LabelRequirement, Labels }

export interface LabelSelectorMatcher {
  matches(labels: Labels | undefined): boolean
  /** Without any requirement: everything matches. */
  readonly isEmpty: boolean
  /** The absent `LabelSelector`, which matches nothing. */
  readonly matchesNothing: boolean
  /** Sorted by key. */
  readonly requirements: readonly LabelRequirement[]
  /** The one value that the selector demands of a label, or undefined. */
  exactValue(key: string): string | undefined
  /** Canonical text, `a=b,c in (d,e)`. */
  toString(): string
}

const NO_LABELS: Labels = {}

const OPERATORS: Readonly<Record<string, LabelOperator>> = {
  In: 'in',
  NotIn: 'notin',
  Exists: 'exists',
  DoesNotExist: '!',
}

/** A selector as objects hold it is not valid; validation keeps such objects out of the store. */
export class LabelSelectorError extends Error {}

/** Reads a query's `labelSelector`. Throws StatusError 400 with upstream's text. */
export function parseLabelSelector(text: string): LabelSelectorMatcher {
  return matcherOfRequirements(parseLabelRequirements(text))
}

/** The matcher of a LabelSelector object: an empty one matches everything, an absent one nothing. */
export function matcherOf(selector: LabelSelector | undefined): LabelSelectorMatcher {
  if (selector === undefined) return NOTHING
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    operator: '=',
    values: [value],
  }))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = OPERATORS[operator]
    if (known === undefined)
      throw new LabelSelectorError(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push({ key, operator: known, values: values ?? [] })
  }
  for (const requirement of requirements) {
    const problem = requirementProblem(requirement)
    if (problem !== null) throw new LabelSelectorError(problem)
  }
  return matcherOfRequirements(requirements)
}

/** The matcher of a plain map (`spec.selector` of Services and ReplicationControllers): all pairs have to be there. */
export function matcherOfLabels(labels: Labels): LabelSelectorMatcher {
  return matcherOfRequirements(
    Object.entries(labels).map(([key, value]) => ({ key, operator: '=' as const, values: [value] })),
  )
}

function matcherOfRequirements(unsorted: readonly LabelRequirement[]): LabelSelectorMatcher {
  const requirements = unsorted.toSorted((left, right) => (left.key < right.key ? -1 : left.key > right.key ? 1 : 0))
  const tests = requirements.map(compileRequirement)
  return {
    matches: (labels = NO_LABELS) => tests.every((test) => test(labels)),
    isEmpty: requirements.length === 0,
    matchesNothing: false,
    requirements,
    exactValue: (key) => exactValue(requirements, key),
    toString: () => requirements.map(formatRequirement).join(','),
  }
}

/** Upstream looks at the first requirement on the key only. */
function exactValue(requirements: readonly LabelRequirement[], key: string): string | undefined {
  const first = requirements.find((requirement) => requirement.key === key)
  if (first === undefined || !['=', '==', 'in'].includes(first.operator)) return undefined
  return first.values.length === 1 ? first.values[0] : undefined
}

export const NOTHING: LabelSelectorMatcher = {
  matches: () => false,
  isEmpty: false,
  matchesNothing: true,
  requirements: [],
  exactValue: () => undefined,
  toString: () => '',
}

export const EVERYTHING: LabelSelectorMatcher = matcherOfRequirements([])
