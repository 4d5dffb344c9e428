/** Decides which requests are recorded, and how much of them, by the rules of an audit policy: the first that matches counts. */
import type { Attributes } from '../authorization/authorizer.ts'

export const LEVELS = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type AuditLevel = (typeof LEVELS)[number]
export const STAGES = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type AuditStage = (typeof STAGES)[number]

export type GroupResources = {
  readonly group?: string
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
}

export type AuditRule = {
  readonly level: AuditLevel
  readonly users?: readonly string[]
  readonly userGroups?: readonly string[]
  readonly verbs?: readonly string[]
  readonly resources?: readonly GroupResources[]
  readonly namespaces?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
  readonly omitStages?: readonly AuditStage[]
  readonly omitManagedFields?: boolean
}

export type AuditPolicy = {
  readonly rules: readonly AuditRule[]
  readonly omitStages?: readonly AuditStage[]
  readonly omitManagedFields?: boolean
}

export type AuditDecision = {
  readonly level: AuditLevel
  readonly omitStages: ReadonlySet<AuditStage>
  readonly omitManagedFields: boolean
}

export const isAtLeast = (level: AuditLevel, least: AuditLevel): boolean =>
  LEVELS.indexOf(level) >= LEVELS.indexOf(least)

type CompiledRule = { readonly rule: AuditRule; readonly decision: AuditDecision }

export class AuditPolicyEvaluator {
  readonly #rules: readonly CompiledRule[]
  readonly #otherwise: AuditDecision

  /** Stages that the policy omits are omitted by each of its rules. */
  constructor({ rules, omitStages = [], omitManagedFields = false }: AuditPolicy) {
    const decide = (level: AuditLevel, stages: readonly AuditStage[], omits: boolean): AuditDecision => ({
      level,
      omitStages: new Set([...omitStages, ...stages]),
      omitManagedFields: omits,
    })
    this.#rules = rules.map((rule) => ({
      rule,
      decision: decide(rule.level, rule.omitStages ?? [], rule.omitManagedFields ?? omitManagedFields),
    }))
    this.#otherwise = decide('None', [], omitManagedFields)
  }

  evaluate(attributes: Attributes): AuditDecision {
    return this.#rules.find(({ rule }) => matches(rule, attributes))?.decision ?? this.#otherwise
  }
}

const holds = (list: readonly string[] | undefined, value: string): boolean =>
  list === undefined || list.length === 0 || list.includes(value)

const isFilled = (list: readonly unknown[] | undefined): boolean => list !== undefined && list.length > 0

function matches(rule: AuditRule, attributes: Attributes): boolean {
  const { user, verb } = attributes
  if (!holds(rule.users, user.name) || !holds(rule.verbs, verb)) return false
  if (isFilled(rule.userGroups) && !user.groups.some((group) => rule.userGroups!.includes(group))) return false
  if (isFilled(rule.namespaces) || isFilled(rule.resources)) return matchesResource(rule, attributes)
  if (!isFilled(rule.nonResourceURLs)) return true
  return !attributes.isResourceRequest && rule.nonResourceURLs!.some((spec) => pathMatches(attributes.path, spec))
}

function pathMatches(path: string, spec: string): boolean {
  if (spec === '*' || spec === path) return true
  return spec.endsWith('*') && path.startsWith(spec.replace(/\*+$/, ''))
}

function matchesResource(rule: AuditRule, attributes: Attributes): boolean {
  if (!attributes.isResourceRequest || !holds(rule.namespaces, attributes.namespace)) return false
  return !isFilled(rule.resources) || rule.resources!.some((entry) => entryMatches(entry, attributes))
}

function entryMatches(entry: GroupResources, { group, resource, subresource, name }: Attributes): boolean {
  const { group: wanted = '', resources = [], resourceNames } = entry
  if (wanted !== '*' && wanted !== group) return false
  if (resources.length === 0) return true
  if (!holds(resourceNames, name)) return false
  const combined = subresource === '' ? resource : `${resource}/${subresource}`
  return resources.some(
    (spec) =>
      spec === '*' ||
      spec === combined ||
      (subresource !== '' && spec === `*/${subresource}`) ||
      (spec.endsWith('/*') && spec.slice(0, -'/*'.length) === resource),
  )
}
