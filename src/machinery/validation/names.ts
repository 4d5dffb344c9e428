/** Which names Kubernetes accepts: each check gives the complaints about a value, none when it is fine. */
import { byteLength, EMPTY_TEXT, maxBytesText, maxLengthText, patternText, rangeText } from './texts.ts'

export const DNS_LABEL_LENGTH_MAX = 63
export const DNS_SUBDOMAIN_LENGTH_MAX = 253
const LABEL_KEY_LENGTH_MAX = 63
export const LABEL_VALUE_LENGTH_MAX = 63
const PORT_NAME_LENGTH_MAX = 15

const DNS_1123_LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const DNS_1123_SUBDOMAIN = `${DNS_1123_LABEL}(\\.${DNS_1123_LABEL})*`
const DNS_1123_LABEL_UNDERSCORE = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const DNS_1123_SUBDOMAIN_UNDERSCORE = `${DNS_1123_LABEL_UNDERSCORE}(\\.${DNS_1123_LABEL_UNDERSCORE})*`
const DNS_1035_LABEL = '[a-z]([-a-z0-9]*[a-z0-9])?'
const WILDCARD_SUBDOMAIN = `\\*\\.${DNS_1123_SUBDOMAIN}`
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const LABEL_VALUE = `(${LABEL_KEY})?`
const C_IDENTIFIER = '[A-Za-z_][A-Za-z0-9_]*'
const PERCENT = '[0-9]+%'
const HTTP_HEADER_NAME = '[-A-Za-z0-9]+'
const ENV_VAR_NAME = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const CONFIG_KEY = '[-._a-zA-Z0-9]+'
const CONDITION_REASON = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'

const LABEL_TEXT =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"
const SUBDOMAIN_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const SUBDOMAIN_UNDERSCORE_TEXT =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character"
const SUBDOMAIN_CASELESS_TEXT =
  "an RFC 1123 subdomain must consist of alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const LABEL_1035_TEXT =
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"
const WILDCARD_TEXT =
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character"
const LABEL_KEY_TEXT =
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const LABEL_VALUE_TEXT =
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"
const ENV_VAR_TEXT =
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit"
const CONDITION_REASON_TEXT =
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'"

const whole = (pattern: string): RegExp => new RegExp(`^(?:${pattern})$`)
const IS_LABEL = whole(DNS_1123_LABEL)
const IS_SUBDOMAIN = whole(DNS_1123_SUBDOMAIN)
const IS_SUBDOMAIN_UNDERSCORE = whole(DNS_1123_SUBDOMAIN_UNDERSCORE)
const IS_LABEL_1035 = whole(DNS_1035_LABEL)
const IS_WILDCARD = whole(WILDCARD_SUBDOMAIN)
const IS_LABEL_KEY = whole(LABEL_KEY)
const IS_LABEL_VALUE = whole(LABEL_VALUE)
const IS_C_IDENTIFIER = whole(C_IDENTIFIER)
const IS_PERCENT = whole(PERCENT)
const IS_HTTP_HEADER = whole(HTTP_HEADER_NAME)
const IS_ENV_VAR = whole(ENV_VAR_NAME)
const IS_CONFIG_KEY = whole(CONFIG_KEY)
const IS_CONDITION_REASON = whole(CONDITION_REASON)

export function isDns1123Label(value: string): string[] {
  const problems: string[] = []
  if (byteLength(value) > DNS_LABEL_LENGTH_MAX) problems.push(maxLengthText(DNS_LABEL_LENGTH_MAX))
  if (IS_LABEL.test(value)) return problems
  if (IS_SUBDOMAIN.test(value)) problems.push('must not contain dots')
  else problems.push(patternText(LABEL_TEXT, DNS_1123_LABEL, 'my-name', '123-abc'))
  return problems
}

export function isDns1123Subdomain(value: string): string[] {
  return lengthAndPattern(value, DNS_SUBDOMAIN_LENGTH_MAX, IS_SUBDOMAIN, () =>
    patternText(SUBDOMAIN_TEXT, DNS_1123_SUBDOMAIN, 'example.com'),
  )
}

/** A DNS label in the words of the checks that upstream declares on types, which count bytes. */
export function isShortName(value: string): string[] {
  const problems = byteLength(value) > DNS_LABEL_LENGTH_MAX ? [maxBytesText(DNS_LABEL_LENGTH_MAX)] : []
  if (IS_LABEL.test(value)) return problems
  if (IS_SUBDOMAIN.test(value)) return [...problems, 'must not contain dots']
  return [...problems, patternText(LABEL_TEXT, DNS_1123_LABEL, 'my-name', '123-abc')]
}

/** A DNS subdomain in the words of the checks that upstream declares on types. */
export function isLongName(value: string): string[] {
  const problems = byteLength(value) > DNS_SUBDOMAIN_LENGTH_MAX ? [maxBytesText(DNS_SUBDOMAIN_LENGTH_MAX)] : []
  if (!IS_SUBDOMAIN.test(value)) problems.push(patternText(SUBDOMAIN_TEXT, DNS_1123_SUBDOMAIN, 'example.com'))
  return problems
}

/** The same where upper case is allowed. */
export function isLongNameCaseless(value: string): string[] {
  const problems = byteLength(value) > DNS_SUBDOMAIN_LENGTH_MAX ? [maxBytesText(DNS_SUBDOMAIN_LENGTH_MAX)] : []
  if (!IS_SUBDOMAIN.test(value.toLowerCase()))
    problems.push(patternText(SUBDOMAIN_CASELESS_TEXT, DNS_1123_SUBDOMAIN, 'Example.com'))
  return problems
}

export function isDns1123SubdomainWithUnderscore(value: string): string[] {
  return lengthAndPattern(value, DNS_SUBDOMAIN_LENGTH_MAX, IS_SUBDOMAIN_UNDERSCORE, () =>
    patternText(SUBDOMAIN_UNDERSCORE_TEXT, DNS_1123_SUBDOMAIN_UNDERSCORE, 'example.com'),
  )
}

export function isDns1035Label(value: string): string[] {
  return lengthAndPattern(value, DNS_LABEL_LENGTH_MAX, IS_LABEL_1035, () =>
    patternText(LABEL_1035_TEXT, DNS_1035_LABEL, 'my-name', 'abc-123'),
  )
}

export function isWildcardDns1123Subdomain(value: string): string[] {
  return lengthAndPattern(value, DNS_SUBDOMAIN_LENGTH_MAX, IS_WILDCARD, () =>
    patternText(WILDCARD_TEXT, WILDCARD_SUBDOMAIN, '*.example.com'),
  )
}

function lengthAndPattern(value: string, maxLength: number, pattern: RegExp, text: () => string): string[] {
  const problems: string[] = []
  if (byteLength(value) > maxLength) problems.push(maxLengthText(maxLength))
  if (!pattern.test(value)) problems.push(text())
  return problems
}

/** A label key: a name with an optional DNS subdomain prefix, `example.com/name`. */
export function isQualifiedName(value: string): string[] {
  const parts = value.split('/')
  const keyText = (): string => patternText(LABEL_KEY_TEXT, LABEL_KEY, 'MyName', 'my.name', '123-abc')
  if (parts.length > 2)
    return [`a valid label key ${keyText()} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  const problems: string[] = []
  const name = parts.at(-1)!
  if (parts.length === 2) problems.push(...labelPrefixProblems(parts[0]!))
  if (name === '') problems.push(`name part ${EMPTY_TEXT}`)
  else if (byteLength(name) > LABEL_KEY_LENGTH_MAX) problems.push(`name part ${maxBytesText(LABEL_KEY_LENGTH_MAX)}`)
  if (!IS_LABEL_KEY.test(name)) problems.push(`name part ${keyText()}`)
  return problems
}

function labelPrefixProblems(prefix: string): string[] {
  if (prefix === '') return [`prefix part ${EMPTY_TEXT}`]
  return isLongName(prefix).map((problem) => `prefix part ${problem}`)
}

export function isValidLabelValue(value: string): string[] {
  const problems: string[] = []
  if (byteLength(value) > LABEL_VALUE_LENGTH_MAX) problems.push(maxBytesText(LABEL_VALUE_LENGTH_MAX))
  if (!IS_LABEL_VALUE.test(value))
    problems.push(patternText(LABEL_VALUE_TEXT, LABEL_VALUE, 'MyValue', 'my_value', '12345'))
  return problems
}

export function isCIdentifier(value: string): string[] {
  if (IS_C_IDENTIFIER.test(value)) return []
  const text =
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'"
  return [patternText(text, C_IDENTIFIER, 'my_name', 'MY_NAME', 'MyName')]
}

export function isValidPortNum(port: number): string[] {
  return isInRange(port, 1, 65_535)
}

export function isInRange(value: number, min: number, max: number): string[] {
  return value >= min && value <= max ? [] : [rangeText(min, max)]
}

export function isValidGroupId(id: number): string[] {
  return isInRange(id, 0, 2_147_483_647)
}

export function isValidUserId(id: number): string[] {
  return isInRange(id, 0, 2_147_483_647)
}

export function isValidPortName(port: string): string[] {
  const problems: string[] = []
  if (byteLength(port) > PORT_NAME_LENGTH_MAX) problems.push(maxLengthText(PORT_NAME_LENGTH_MAX))
  if (!/^[-a-z0-9]+$/.test(port))
    problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(port)) problems.push('must contain at least one letter (a-z)')
  if (port.includes('--')) problems.push('must not contain consecutive hyphens')
  if (port.startsWith('-') || port.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

export function isValidPercent(value: string): string[] {
  const text = "a valid percent string must be a numeric string followed by an ending '%'"
  return IS_PERCENT.test(value) ? [] : [patternText(text, PERCENT, '1%', '93%')]
}

export function isHttpHeaderName(value: string): string[] {
  const text = "a valid HTTP header must consist of alphanumeric characters or '-'"
  return IS_HTTP_HEADER.test(value) ? [] : [patternText(text, HTTP_HEADER_NAME, 'X-Header-Name')]
}

export function isEnvVarName(value: string): string[] {
  const problems: string[] = []
  if (!IS_ENV_VAR.test(value))
    problems.push(patternText(ENV_VAR_TEXT, ENV_VAR_NAME, 'my.env-name', 'MY_ENV.NAME', 'MyEnvName1'))
  return [...problems, ...parentFolderProblems(value)]
}

export function isRelaxedEnvVarName(value: string): string[] {
  const problems: string[] = []
  if (value === '') problems.push(`environment variable name ${EMPTY_TEXT}`)
  if (/[^\x20-\x7e]|=/.test(value))
    problems.push("a valid environment variable name must consist only of printable ASCII characters other than '='")
  return problems
}

/** Keys of ConfigMaps and Secrets become file names. */
export function isConfigMapKey(value: string): string[] {
  const text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
  const problems = lengthAndPattern(value, DNS_SUBDOMAIN_LENGTH_MAX, IS_CONFIG_KEY, () =>
    patternText(text, CONFIG_KEY, 'key.name', 'KEY_NAME', 'key-name'),
  )
  return [...problems, ...parentFolderProblems(value)]
}

function parentFolderProblems(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

export function isValidConditionReason(value: string): string[] {
  if (IS_CONDITION_REASON.test(value)) return []
  const examples = ['my_name', 'MY_NAME', 'MyName', 'ReasonA,ReasonB', 'ReasonA:ReasonB']
  return [patternText(CONDITION_REASON_TEXT, CONDITION_REASON, ...examples)]
}

/** Names that may stand in a URL path as they are. */
export function isPathSegmentName(value: string): string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`]
  return ['/', '%'].filter((part) => value.includes(part)).map((part) => `may not contain '${part}'`)
}
