/** Checks what API servers say of the versions in which they store a resource. */
import type {
  ServerStorageVersion,
  StorageVersion,
  StorageVersionCondition,
} from '#api/apiserverinternal/v1alpha1.gen.ts'
import { checkDnsSubdomain, checkQualifiedName } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isDns1035Label, isDns1123Subdomain } from '#machinery/validation/names.ts'

const PATH = 'status'

/** A name is the group, a dot and the resource. */
export function storageVersionNameProblems(name: string): string[] {
  const dot = name.lastIndexOf('.')
  if (dot < 0) return ['name must be in the form of <group>.<resource>']
  return [
    ...isDns1123Subdomain(name.slice(0, dot)).map((problem) => `the group segment ${problem}`),
    ...isDns1035Label(name.slice(dot + 1)).map((problem) => `the resource segment ${problem}`),
  ]
}

export function validateStorageVersionStatus({ status = {} }: StorageVersion): FieldError[] {
  const errors: FieldError[] = []
  const { storageVersions: servers = [], conditions = [], commonEncodingVersion } = status
  for (const [i, server] of servers.entries()) {
    const path = `${PATH}.storageVersions[${i}]`
    if (servers.findIndex(({ apiServerID }) => apiServerID === server.apiServerID) < i)
      errors.push(duplicate(`${path}.apiServerID`, server.apiServerID))
    checkServer(errors, path, server)
  }
  checkCommonVersion(errors, servers, commonEncodingVersion)
  checkConditions(errors, conditions)
  return errors
}

function checkServer(errors: FieldError[], path: string, server: ServerStorageVersion): void {
  const { apiServerID = '', encodingVersion = '', decodableVersions = [], servedVersions = [] } = server
  checkDnsSubdomain(errors, `${path}.apiServerID`, apiServerID)
  checkApiVersion(errors, `${path}.encodingVersion`, encodingVersion)
  for (const [i, version] of decodableVersions.entries())
    checkApiVersion(errors, `${path}.decodableVersions[${i}]`, version)
  if (!decodableVersions.includes(encodingVersion)) {
    const text = `decodableVersions must include encodingVersion ${encodingVersion}`
    errors.push(invalidValue(`${path}.decodableVersions`, server.decodableVersions, text))
  }
  for (const [i, version] of servedVersions.entries()) {
    checkApiVersion(errors, `${path}.servedVersions[${i}]`, version)
    if (decodableVersions.includes(version)) continue
    const text = `individual served version : ${version} must be included in decodableVersions : [${decodableVersions.join(' ')}]`
    errors.push(invalidValue(`${path}.servedVersions[${i}]`, version, text))
  }
}

function checkApiVersion(errors: FieldError[], path: string, apiVersion: string): void {
  const problems = apiVersionProblems(apiVersion)
  if (problems.length > 0) errors.push(invalidValue(path, apiVersion, problems.join(',')))
}

const LABEL =
  "a DNS-1035 label, which must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character"

function apiVersionProblems(apiVersion: string): string[] {
  const parts = apiVersion.split('/')
  if (parts.length > 2)
    return [
      `an apiVersion is ${LABEL} (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyVersion')`,
    ]
  const version = parts.at(-1)!
  const groups = parts.length === 2 ? partProblems('group', parts[0]!, isDns1123Subdomain) : []
  return [...groups, ...partProblems('version', version, isDns1035Label)]
}

function partProblems(part: string, text: string, check: (text: string) => string[]): string[] {
  const problems = text === '' ? ['must be non-empty'] : check(text)
  return problems.map((problem) => `${part} part: ${problem}`)
}

function checkCommonVersion(
  errors: FieldError[],
  servers: readonly ServerStorageVersion[],
  common: string | undefined,
): void {
  const path = `${PATH}.commonEncodingVersion`
  const first = servers[0]?.encodingVersion
  const actual = servers.every(({ encodingVersion }) => encodingVersion === first) ? first : undefined
  if (actual === common) return
  if (actual === undefined)
    errors.push(
      invalidValue(
        path,
        common,
        'should be nil if servers do not agree on the same encoding version, or if there is no server reporting the supported versions yet',
      ),
    )
  else if (common === undefined) errors.push(invalidValue(path, null, `the common encoding version is ${actual}`))
  else errors.push(invalidValue(path, common, `the actual common encoding version is ${actual}`))
}

/** Upstream leaves the name of the list out of the paths. */
function checkConditions(errors: FieldError[], conditions: readonly StorageVersionCondition[]): void {
  const seen = new Map<string, number>()
  for (const [i, { type = '', status = '', reason = '', message = '' }] of conditions.entries()) {
    const path = `${PATH}[${i}]`
    const earlier = seen.get(type)
    if (earlier !== undefined) {
      const text = `the type of the condition is not unique, it also appears in conditions[${earlier}]`
      errors.push(invalidValue(`${path}.type`, type, text))
    }
    seen.set(type, i)
    checkQualifiedName(errors, `${path}.type`, type)
    checkQualifiedName(errors, `${path}.status`, status)
    if (reason === '') errors.push(required(`${path}.reason`))
    if (message === '') errors.push(required(`${path}.message`))
  }
}
