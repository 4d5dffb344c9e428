/** What a FlowSchema must look like; two of them have a fixed content. */
import type {
  FlowSchema,
  FlowSchemaSpec,
  NonResourcePolicyRule,
  PolicyRulesWithSubjects,
  ResourcePolicyRule,
  Subject,
} from '#api/flowcontrol/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, checkPresent } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { isDns1123Label, isDns1123Subdomain } from '#machinery/validation/names.ts'
import { validateStatusConditions } from '../conditions.ts'

const PRECEDENCE_MAX = 10_000
const VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'proxy', 'update', 'watch']
const EVERYTHING = {
  resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }],
  nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
}
const groups = (...names: string[]): Subject[] => names.map((name) => ({ kind: 'Group', group: { name } }))

/** Flow schemas that every API server has, unchanged. */
const MANDATORY: Readonly<Record<string, FlowSchemaSpec>> = {
  exempt: {
    priorityLevelConfiguration: { name: 'exempt' },
    matchingPrecedence: 1,
    rules: [{ subjects: groups('system:masters'), ...EVERYTHING }],
  },
  'catch-all': {
    priorityLevelConfiguration: { name: 'catch-all' },
    matchingPrecedence: PRECEDENCE_MAX,
    distinguisherMethod: { type: 'ByUser' },
    rules: [{ subjects: groups('system:unauthenticated', 'system:authenticated'), ...EVERYTHING }],
  },
}

export function validateFlowSchema({ metadata, spec, status }: FlowSchema): FieldError[] {
  const errors: FieldError[] = []
  checkPrecedence(errors, spec.matchingPrecedence ?? 0, metadata.name)
  const method = spec.distinguisherMethod
  if (method !== undefined && method.type !== 'ByNamespace' && method.type !== 'ByUser')
    errors.push(notSupported('spec.distinguisherMethod.type', method, ['ByNamespace', 'ByUser']))
  const level = spec.priorityLevelConfiguration?.name
  if (level) checkDnsSubdomain(errors, 'spec.priorityLevelConfiguration.name', level)
  else errors.push(required('spec.priorityLevelConfiguration.name', 'must reference a priority level'))
  for (const [i, rule] of (spec.rules ?? []).entries()) checkRule(errors, `spec.rules[${i}]`, rule)
  const fixed = MANDATORY[metadata.name]
  if (fixed !== undefined && !isSemanticallyEqual(spec, fixed))
    errors.push(invalidValue('spec', spec, `spec of '${metadata.name}' must equal the fixed value`))
  errors.push(...validateStatusConditions(status?.conditions ?? []))
  return errors
}

function checkPrecedence(errors: FieldError[], precedence: number, name: string): void {
  const path = 'spec.matchingPrecedence'
  if (precedence <= 0) errors.push(invalidValue(path, precedence, 'must be a positive value'))
  if (precedence > PRECEDENCE_MAX)
    errors.push(invalidValue(path, precedence, `must not be greater than ${PRECEDENCE_MAX}`))
  if (precedence === 1 && name !== 'exempt')
    errors.push(invalidValue(path, precedence, "only the schema named 'exempt' may have matchingPrecedence 1"))
}

function checkRule(errors: FieldError[], path: string, rule: PolicyRulesWithSubjects): void {
  const { subjects = [], resourceRules = [], nonResourceRules = [] } = rule
  if (subjects.length === 0) errors.push(required(`${path}.subjects`, 'subjects must contain at least one value'))
  for (const [i, subject] of subjects.entries()) checkSubject(errors, `${path}.subjects[${i}]`, subject)
  if (resourceRules.length === 0 && nonResourceRules.length === 0)
    errors.push(required(path, 'at least one of resourceRules and nonResourceRules has to be non-empty'))
  for (const [i, resourceRule] of resourceRules.entries())
    checkResourceRule(errors, `${path}.resourceRules[${i}]`, resourceRule)
  for (const [i, pathRule] of nonResourceRules.entries())
    checkPathRule(errors, `${path}.nonResourceRules[${i}]`, pathRule)
}

/** Kind of a subject -> the field that describes it. */
const SUBJECT_FIELDS = { ServiceAccount: 'serviceAccount', User: 'user', Group: 'group' } as const

function checkSubject(errors: FieldError[], path: string, subject: Subject): void {
  const kind = subject.kind ?? ''
  if (kind !== 'ServiceAccount' && kind !== 'User' && kind !== 'Group') {
    errors.push(notSupported(`${path}.kind`, kind, ['Group', 'ServiceAccount', 'User']))
    return
  }
  const wanted = SUBJECT_FIELDS[kind]
  if (subject[wanted] === undefined)
    errors.push(required(`${path}.${wanted}`, `${wanted} is required when subject kind is '${kind}'`))
  else if (kind === 'ServiceAccount') checkServiceAccount(errors, `${path}.serviceAccount`, subject.serviceAccount)
  else checkPresent(errors, `${path}.${wanted}.name`, subject[wanted].name)
  for (const [otherKind, other] of Object.entries(SUBJECT_FIELDS))
    if (other !== wanted && subject[other] !== undefined)
      errors.push(forbiddenField(`${path}.${other}`, `${other} is forbidden when subject kind is not '${otherKind}'`))
}

function checkServiceAccount(errors: FieldError[], path: string, account: Subject['serviceAccount']): void {
  const { name = '', namespace = '' } = account ?? {}
  if (name === '') errors.push(required(`${path}.name`))
  else if (name !== '*')
    for (const problem of isDns1123Subdomain(name)) errors.push(invalidValue(`${path}.name`, name, problem))
  if (namespace === '') errors.push(required(`${path}.namespace`, 'must specify namespace for service account'))
  else
    for (const problem of isDns1123Label(namespace)) errors.push(invalidValue(`${path}.namespace`, namespace, problem))
}

function checkPathRule(errors: FieldError[], path: string, rule: NonResourcePolicyRule): void {
  checkVerbs(errors, `${path}.verbs`, rule.verbs ?? [])
  const urls = rule.nonResourceURLs ?? []
  if (urls.length === 0)
    errors.push(required(`${path}.nonResourceURLs`, 'nonResourceURLs must contain at least one value'))
  else if (urls.includes('*')) checkAlone(errors, `${path}.nonResourceURLs`, urls, 'non-resource URLs')
  else
    for (const [i, url] of urls.entries()) {
      const problem = pathProblem(url)
      if (problem !== undefined) errors.push(invalidValue(`${path}.nonResourceURLs[${i}]`, url, problem))
    }
}

function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty'
  if (path === '/') return undefined
  if (!path.startsWith('/')) return 'must start with slash'
  if (path.includes(' ')) return 'must not contain white-space'
  if (path.includes('//')) return 'must not contain double slash'
  const wildcards = path.split('*').length - 1
  return wildcards > 1 || (wildcards === 1 && !path.endsWith('/*')) ? 'wildcard can only do suffix matching' : undefined
}

function checkResourceRule(errors: FieldError[], path: string, rule: ResourcePolicyRule): void {
  const { apiGroups = [], resources = [], namespaces = [], clusterScope = false } = rule
  checkVerbs(errors, `${path}.verbs`, rule.verbs ?? [])
  if (apiGroups.length === 0)
    errors.push(required(`${path}.apiGroups`, 'resource rules must supply at least one api group'))
  else if (apiGroups.includes('*')) checkAlone(errors, `${path}.apiGroups`, apiGroups, 'api groups')
  if (resources.length === 0)
    errors.push(required(`${path}.resources`, 'resource rules must supply at least one resource'))
  else if (resources.includes('*')) checkAlone(errors, `${path}.resources`, resources, 'resources')
  if (namespaces.length === 0 && !clusterScope) {
    const text = 'resource rules that are not cluster scoped must supply at least one namespace'
    errors.push(required(`${path}.namespaces`, text))
  } else if (namespaces.includes('*')) checkAlone(errors, `${path}.namespaces`, namespaces, 'namespaces')
  else
    for (const [i, namespace] of namespaces.entries())
      for (const problem of isDns1123Label(namespace)) {
        const text = `each member of this list must be '*' or a DNS-1123 label; ${problem}`
        errors.push(invalidValue(`${path}.namespaces[${i}]`, namespace, text))
      }
}

function checkVerbs(errors: FieldError[], path: string, verbs: readonly string[]): void {
  if (verbs.length === 0) errors.push(required(path, 'verbs must contain at least one value'))
  else if (verbs.includes('*')) checkAlone(errors, path, verbs, 'verbs')
  else if (!verbs.every((verb) => VERBS.includes(verb))) errors.push(notSupported(path, verbs, VERBS))
}

/** The wildcard stands alone. */
function checkAlone(errors: FieldError[], path: string, values: readonly string[], what: string): void {
  if (values.length > 1) errors.push(invalidValue(path, values, `if '*' is present, must not specify other ${what}`))
}
