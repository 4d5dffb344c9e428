/** What an APIService must look like: its name says group and version. */
import type { APIService } from '#api/apiregistration/v1.gen.ts'
import { checkDnsSubdomain, checkText } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { isDns1035Label, isPathSegmentName } from '#machinery/validation/names.ts'

const GROUP_PRIORITY_MAX = 20_000
const VERSION_PRIORITY_MAX = 1000
const PORT_MAX = 65_535

export function validateApiService({ metadata, spec }: APIService): FieldError[] {
  const errors: FieldError[] = []
  const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0 } = spec
  checkNames(errors, metadata, `${version}.${group}`)
  if (group !== '') checkDnsSubdomain(errors, 'spec.group', group)
  else if (version !== 'v1')
    errors.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
  checkText(errors, 'spec.version', version, isDns1035Label)
  if (groupPriorityMinimum <= 0 || groupPriorityMinimum > GROUP_PRIORITY_MAX) {
    const text = `must be positive and less than ${GROUP_PRIORITY_MAX}`
    errors.push(invalidValue('spec.groupPriorityMinimum', groupPriorityMinimum, text))
  }
  if (versionPriority <= 0 || versionPriority > VERSION_PRIORITY_MAX) {
    const text = `must be positive and less than ${VERSION_PRIORITY_MAX}`
    errors.push(invalidValue('spec.versionPriority', versionPriority, text))
  }
  checkBackend(errors, spec)
  return errors
}

/** Of a generated name the prefix is checked like a name. */
function checkNames(errors: FieldError[], metadata: APIService['metadata'], wanted: string): void {
  for (const field of ['generateName', 'name'] as const) {
    const name = metadata[field] ?? ''
    if (name === '' || name === wanted || isPathSegmentName(name).length > 0) continue
    const text = `must be \`spec.version+"."+spec.group\`: ${JSON.stringify(wanted)}`
    errors.push(invalidValue(`metadata.${field}`, name, text))
  }
}

function checkBackend(errors: FieldError[], spec: APIService['spec']): void {
  const { service, caBundle = '', insecureSkipTLSVerify: isInsecure = false } = spec
  if (service === undefined) {
    const bytes = Buffer.from(caBundle, 'base64').length
    if (bytes > 0)
      errors.push(invalidValue('spec.caBundle', `${bytes} bytes`, 'local APIServices may not have a caBundle'))
    if (isInsecure) {
      const text = 'local APIServices may not have insecureSkipTLSVerify'
      errors.push(invalidValue('spec.insecureSkipTLSVerify', true, text))
    }
    return
  }
  if (!service.namespace) errors.push(required('spec.service.namespace'))
  if (!service.name) errors.push(required('spec.service.name'))
  const { port = 0 } = service
  if (port < 1 || port > PORT_MAX) {
    const text = `port is not valid: must be between 1 and ${PORT_MAX}, inclusive`
    errors.push(invalidValue('spec.service.port', port, text))
  }
  if (isInsecure && caBundle !== '')
    errors.push(invalidValue('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
}

export function validateApiServiceStatus({ status }: APIService): FieldError[] {
  const statuses = ['True', 'False', 'Unknown']
  return (status?.conditions ?? []).flatMap((condition, i) =>
    statuses.includes(condition.status)
      ? []
      : [notSupported(`status.conditions[${i}].status`, condition.status, statuses)],
  )
}
