/** Reads the policy of the audit log out of a file, and says in upstream's words what is wrong with it. */
import {
  child,
  formatFieldErrors,
  index,
  invalidValue,
  notSupportedInOrder,
  required,
  type FieldError,
} from '#machinery/field-error.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'
import { parseYaml } from '#machinery/yaml.ts'
import { LEVELS, STAGES, type AuditPolicy, type AuditRule, type GroupResources } from './policy.ts'

const API_VERSION = 'audit.k8s.io/v1'
const STAGE_NAMES: readonly string[] = STAGES
const LEVEL_NAMES: readonly string[] = LEVELS
const RULE_LISTS = ['users', 'userGroups', 'verbs', 'namespaces', 'nonResourceURLs', 'omitStages'] as const
const ENTRY_LISTS = ['resources', 'resourceNames'] as const

/** Throws an Error that tells everything that is wrong. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const file = decode(text)
  const { apiVersion, kind } = file
  if (apiVersion !== API_VERSION || kind !== 'Policy')
    throw new Error(
      `failed decoding: no kind ${JSON.stringify(kind ?? '')} is registered for version ${JSON.stringify(apiVersion ?? '')}`,
    )
  checkShape(file)
  const policy = file as unknown as AuditPolicy
  const problems = validatePolicy(policy)
  if (problems.length > 0) throw new Error(formatFieldErrors(problems))
  if ((policy.rules ?? []).length === 0) throw new Error('loaded illegal policy with 0 rules')
  return policy
}

type Loose = Readonly<Record<string, unknown>>

function decode(text: string): Loose {
  let value: unknown
  try {
    value = parseYaml(text)
  } catch (error) {
    throw new Error(`failed decoding: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
  if (isMap(value)) return value
  throw new Error('failed decoding: the policy is no object')
}

const isMap = (value: unknown): value is Loose => typeof value === 'object' && value !== null && !Array.isArray(value)

/** What the rules below, and the evaluation, take for granted. */
function checkShape(file: Loose): void {
  checkLists(file, ['omitStages'], '')
  for (const [position, rule] of mapsOf(file, 'rules', 'rules').entries()) {
    const path = index('rules', position)
    checkLists(rule, RULE_LISTS, path)
    for (const entry of mapsOf(rule, 'resources', child(path, 'resources')))
      checkLists(entry, ENTRY_LISTS, child(path, 'resources'))
  }
}

function mapsOf(owner: Loose, name: string, path: string): readonly Loose[] {
  const list = owner[name] ?? []
  if (Array.isArray(list) && list.every(isMap)) return list
  throw new Error(`failed decoding: ${path} is no list of objects`)
}

function checkLists(owner: Loose, names: readonly string[], path: string): void {
  for (const name of names) {
    const list = owner[name] ?? []
    if (!Array.isArray(list) || list.some((value) => typeof value !== 'string'))
      throw new Error(`failed decoding: ${path === '' ? name : child(path, name)} is no list of texts`)
  }
}

function validatePolicy({ omitStages = [], rules = [] }: AuditPolicy): FieldError[] {
  return [
    ...stageErrors(omitStages, 'omitStages'),
    ...rules.flatMap((rule, position) => ruleErrors(rule, index('rules', position))),
  ]
}

function ruleErrors(rule: AuditRule, path: string): FieldError[] {
  const { level, nonResourceURLs = [], resources = [], namespaces = [], omitStages = [] } = rule
  const urlPath = child(path, 'nonResourceURLs')
  const errors = [
    ...levelErrors(level, child(path, 'level')),
    ...nonResourceURLs.flatMap((url, position) => urlErrors(url, index(urlPath, position))),
    ...resources.flatMap((entry) => entryErrors(entry, child(path, 'resources'))),
    ...stageErrors(omitStages, child(path, 'omitStages')),
  ]
  if (nonResourceURLs.length > 0 && (resources.length > 0 || namespaces.length > 0))
    errors.push(
      invalidValue(urlPath, nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'),
    )
  return errors
}

function levelErrors(level: string | undefined, path: string): FieldError[] {
  if (level === undefined || level === '') return [required(path)]
  return LEVEL_NAMES.includes(level) ? [] : [notSupportedInOrder(path, level, LEVEL_NAMES)]
}

function urlErrors(url: string, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (url === '*') return errors
  if (!url.startsWith('/'))
    errors.push(invalidValue(path, url, "non-resource URL rules must begin with a '/' character"))
  if (url.slice(0, -1).includes('*'))
    errors.push(invalidValue(path, url, "non-resource URL wildcards '*' must be the final character of the rule"))
  return errors
}

function entryErrors({ group = '', resources = [], resourceNames = [] }: GroupResources, path: string): FieldError[] {
  const errors: FieldError[] = []
  if (group !== '' && group !== '*')
    for (const text of isDns1123Subdomain(group)) errors.push(invalidValue(child(path, 'group'), group, text))
  if (resourceNames.length > 0 && resources.length === 0)
    errors.push(
      invalidValue(child(path, 'resourceNames'), resourceNames, 'using resourceNames requires at least one resource'),
    )
  return errors
}

function stageErrors(stages: readonly string[], path: string): FieldError[] {
  return stages.flatMap((stage, position) =>
    STAGE_NAMES.includes(stage)
      ? []
      : [invalidValue(index(path, position), stage, `allowed stages are ${STAGE_NAMES.join(',')}`)],
  )
}
