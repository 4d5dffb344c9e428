/** Checks the rules of Ingresses: hosts, paths and where they lead. */
import { parseSloppy } from '#api/ip.ts'
import type { HTTPIngressPath, Ingress, IngressBackend, IngressRule, IngressSpec } from '#api/networking/v1.gen.ts'
import { checkDnsLabel, checkDnsSubdomain, checkPort, checkText } from '#api/validation.ts'
import { asGoField } from '#api/go-values/show-as-go.ts'
import { type FieldError, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { isDns1123Subdomain, isValidPortName, isWildcardDns1123Subdomain } from '#machinery/validation/names.ts'
import { checkReference } from '../references.ts'

const PATH_TYPES = ['Exact', 'ImplementationSpecific', 'Prefix']
const BAD_SEQUENCES = ['//', '/./', '/../', '%2f', '%2F']
const BAD_ENDINGS = ['/..', '/.']

type Options = {
  /** Old objects may hold these. */
  readonly allowsInvalidSecretName: boolean
  readonly allowsInvalidWildcardRule: boolean
}

export function validateIngressSpec(spec: IngressSpec, old: Ingress | null): FieldError[] {
  const errors: FieldError[] = []
  const rules = spec.rules ?? []
  if (rules.length === 0 && spec.defaultBackend === undefined)
    errors.push(
      invalidValue(
        'spec',
        asGoField('io.k8s.api.networking.v1.IngressSpec', spec, 'rules'),
        'either `defaultBackend` or `rules` must be specified',
      ),
    )
  if (spec.defaultBackend !== undefined) validateBackend(errors, 'spec.defaultBackend', spec.defaultBackend)
  const options = optionsOf(old)
  for (const [i, rule] of rules.entries()) validateRule(errors, `spec.rules[${i}]`, rule, options)
  validateTls(errors, spec, options)
  if (spec.ingressClassName !== undefined) checkDnsSubdomain(errors, 'spec.ingressClassName', spec.ingressClassName)
  return errors
}

function optionsOf(old: Ingress | null): Options {
  const { tls = [], rules = [] } = old?.spec ?? {}
  const hasErrors = (rule: IngressRule): boolean => {
    const errors: FieldError[] = []
    validateRuleValue(errors, '', rule)
    return errors.length > 0
  }
  return {
    allowsInvalidSecretName: tls.some(({ secretName }) => secretName && isDns1123Subdomain(secretName).length > 0),
    allowsInvalidWildcardRule: rules.some((rule) => rule.host?.includes('*') && hasErrors(rule)),
  }
}

function validateTls(errors: FieldError[], { tls = [] }: IngressSpec, options: Options): void {
  for (const [i, { hosts = [], secretName }] of tls.entries()) {
    for (const [j, host] of hosts.entries()) validateHost(errors, `spec.tls[${i}].hosts[${j}]`, host)
    if (secretName && !options.allowsInvalidSecretName)
      checkDnsSubdomain(errors, `spec.tls[${i}].secretName`, secretName)
  }
}

function validateHost(errors: FieldError[], path: string, host: string): void {
  checkText(errors, path, host, host.includes('*') ? isWildcardDns1123Subdomain : isDns1123Subdomain)
}

function validateRule(errors: FieldError[], path: string, rule: IngressRule, options: Options): void {
  const { host = '' } = rule
  if (host !== '') {
    if (parseSloppy(host) !== '')
      errors.push(invalidValue(`${path}.host`, host, 'must be a DNS name, not an IP address'))
    validateHost(errors, `${path}.host`, host)
  }
  if (!host.includes('*') || !options.allowsInvalidWildcardRule) validateRuleValue(errors, path, rule)
}

function validateRuleValue(errors: FieldError[], path: string, { http }: IngressRule): void {
  if (http === undefined) return
  const paths = http.paths ?? []
  if (paths.length === 0) errors.push(required(`${path}.http.paths`))
  for (const [i, item] of paths.entries()) validatePath(errors, `${path}.http.paths[${i}]`, item)
}

function validatePath(errors: FieldError[], place: string, { path = '', pathType, backend }: HTTPIngressPath): void {
  if (pathType === undefined) {
    errors.push(required(`${place}.pathType`, 'pathType must be specified'))
    return
  }
  const refuse = (text: string): void => void errors.push(invalidValue(`${place}.path`, path, text))
  if (!PATH_TYPES.includes(pathType)) errors.push(notSupported(`${place}.pathType`, pathType, PATH_TYPES))
  else if (pathType === 'ImplementationSpecific') {
    if (path !== '' && !path.startsWith('/')) refuse('must be an absolute path')
  } else {
    if (!path.startsWith('/')) refuse('must be an absolute path')
    for (const sequence of BAD_SEQUENCES) if (path.includes(sequence)) refuse(`must not contain '${sequence}'`)
    for (const ending of BAD_ENDINGS) if (path.endsWith(ending)) refuse(`cannot end with '${ending}'`)
  }
  validateBackend(errors, `${place}.backend`, backend ?? {})
}

function validateBackend(errors: FieldError[], path: string, { resource, service }: IngressBackend): void {
  const refuse = (text: string): void => void errors.push(invalidValue(path, '', text))
  if (resource !== undefined && service !== undefined) refuse('cannot set both resource and service backends')
  else if (resource !== undefined) checkReference(errors, `${path}.resource`, resource)
  else if (service === undefined) refuse('resource or service backend is required')
  else {
    if (service.name) checkDnsLabel(errors, `${path}.service.name`, service.name)
    else errors.push(required(`${path}.service.name`))
    const { name = '', number = 0 } = service.port ?? {}
    if (name !== '' && number !== 0) refuse('cannot set both port name & port number')
    else if (name !== '') checkText(errors, `${path}.service.port.name`, name, isValidPortName)
    else if (number !== 0) checkPort(errors, `${path}.service.port.number`, number)
    else errors.push(required(path, 'port name or number is required'))
  }
}
