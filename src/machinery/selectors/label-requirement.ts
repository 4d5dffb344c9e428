/** One condition on labels: its validation, how it matches and how it is written. */
import { formatBadValue, index, invalidValue, key as keyPath, type FieldError } from '../field-error.ts'
import { isQualifiedName, isValidLabelValue } from '../validation/names.ts'

export type Labels = Readonly<Record<string, string>>

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export type LabelRequirement = {
  readonly key: string
  readonly operator: LabelOperator
  /** Sorted and without duplicates where it was parsed from text. */
  readonly values: readonly string[]
}

const INT64_MAX = 2n ** 63n - 1n
const INT64_MIN = -(2n ** 63n)

/** All that is wrong with a requirement, each as `field: message`; several are joined as upstream joins errors. */
export function requirementProblem(requirement: LabelRequirement): string | null {
  const { key, values } = requirement
  const errors: FieldError[] = []
  const keyProblems = isQualifiedName(key)
  if (keyProblems.length > 0) errors.push(invalidValue('key', key, keyProblems.join('; ')))
  errors.push(...countErrors(requirement))
  for (const [position, value] of values.entries()) {
    const problems = isValidLabelValue(value)
    if (problems.length > 0)
      errors.push(invalidValue(keyPath(index('values', position), key), value, problems.join('; ')))
  }
  return joinErrors(errors.map(({ field, message }) => `${field}: ${message}`))
}

/** How Go prints an aggregate of errors: one as it is, more in brackets, each text once. */
function joinErrors(texts: readonly string[]): string | null {
  const unique = [...new Set(texts)]
  if (unique.length === 0) return null
  return unique.length === 1 ? unique[0]! : `[${unique.join(', ')}]`
}

function countErrors({ operator, values }: LabelRequirement): FieldError[] {
  const wrong = (detail: string): FieldError[] => [
    { type: 'FieldValueInvalid', field: 'values', message: `Invalid value: ${formatBadValue(values)}: ${detail}` },
  ]
  switch (operator) {
    case 'in':
    case 'notin':
      return values.length === 0 ? wrong("for 'in', 'notin' operators, values set can't be empty") : []
    case '=':
    case '==':
    case '!=':
      return values.length === 1 ? [] : wrong('exact-match compatibility requires one single value')
    case 'exists':
    case '!':
      return values.length === 0 ? [] : wrong('values set must be empty for exists and does not exist')
    default:
      return [
        ...(values.length === 1 ? [] : wrong("for 'Gt', 'Lt' operators, exactly one value is required")),
        ...values.flatMap((value, position) =>
          parseInt64(value) === null
            ? [invalidValue(index('values', position), value, "for 'Gt', 'Lt' operators, the value must be an integer")]
            : [],
        ),
      ]
  }
}

export function parseInt64(text: string): bigint | null {
  if (!/^[+-]?\d+$/.test(text)) return null
  const value = BigInt(text.startsWith('+') ? text.slice(1) : text)
  return value >= INT64_MIN && value <= INT64_MAX ? value : null
}

/** The requirement as a function: compiled once, called for every object. */
export function compileRequirement({ key, operator, values }: LabelRequirement): (labels: Labels) => boolean {
  const only = values[0]
  switch (operator) {
    case '=':
    case '==':
      return (labels) => own(labels, key) === only
    case '!=':
      return (labels) => own(labels, key) !== only
    case 'in':
      return (labels) => {
        const value = own(labels, key)
        return value !== undefined && values.includes(value)
      }
    case 'notin':
      return (labels) => {
        const value = own(labels, key)
        return value === undefined || !values.includes(value)
      }
    case 'exists':
      return (labels) => own(labels, key) !== undefined
    case '!':
      return (labels) => own(labels, key) === undefined
    default:
      return compileComparison(key, operator, only ?? '')
  }
}

function compileComparison(key: string, operator: 'gt' | 'lt', bound: string): (labels: Labels) => boolean {
  const limit = parseInt64(bound)
  return (labels) => {
    const text = own(labels, key)
    const value = text === undefined ? null : parseInt64(text)
    if (value === null || limit === null) return false
    return operator === 'gt' ? value > limit : value < limit
  }
}

/** Labels come from clients: `constructor` is a key like any other. */
function own(labels: Labels, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** The canonical text: `a in (x,y)`, `!b`, `c=1`. */
export function formatRequirement({ key, operator, values }: LabelRequirement): string {
  const list = values.toSorted().join(',')
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${list})`
    case 'gt':
      return `${key}>${list}`
    case 'lt':
      return `${key}<${list}`
    default:
      return `${key}${operator}${list}`
  }
}
