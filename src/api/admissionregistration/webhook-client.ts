/** Where a webhook is called: a URL or a Service. */
import type { ServiceReference, WebhookClientConfig } from '#api/admissionregistration/v1.gen.ts'
import { type FieldError, invalidValue, required } from '#machinery/field-error.ts'
import { isDns1123Subdomain } from '#machinery/validation/names.ts'

const PORT_MAX = 65_535

export function checkClientConfig(errors: FieldError[], path: string, { url, service }: WebhookClientConfig): void {
  if ((url === undefined) === (service === undefined))
    errors.push(required(path, 'exactly one of url or service is required'))
  else if (url !== undefined) checkUrl(errors, `${path}.url`, url)
  else if (service !== undefined) checkService(errors, `${path}.service`, service)
}

const FORM = 'desired format: https://host[/path]'

function checkUrl(errors: FieldError[], path: string, text: string): void {
  const { scheme, host, user, fragment, query } = urlParts(text)
  if (scheme !== 'https') errors.push(invalidValue(path, scheme, `'https' is the only allowed URL scheme; ${FORM}`))
  if (host === '') errors.push(invalidValue(path, host, `host must be specified; ${FORM}`))
  if (user !== undefined) errors.push(invalidValue(path, user, 'user information is not permitted in the URL'))
  if (fragment !== '') errors.push(invalidValue(path, fragment, 'fragments are not permitted in the URL'))
  if (query !== '') errors.push(invalidValue(path, query, 'query parameters are not permitted in the URL'))
}

type UrlParts = {
  readonly scheme: string
  readonly host: string
  readonly user: string | undefined
  readonly fragment: string
  readonly query: string
}

/** The parts as they are written: Go's parser accepts relative URLs too. */
function urlParts(text: string): UrlParts {
  const match = /^(?:([a-zA-Z][\w+.-]*):)?(?:\/\/(?:([^/?#@]*)@)?([^/?#]*))?[^?#]*(?:\?([^#]*))?(?:#(.*))?$/s.exec(text)
  const [, scheme = '', user, host = '', query = '', fragment = ''] = match ?? []
  return { scheme: scheme.toLowerCase(), host, user, fragment, query }
}

export function checkService(errors: FieldError[], path: string, service: ServiceReference): void {
  // Upstream mixes up the two: the missing namespace is reported as the missing name, and the other way round.
  if (!service.namespace) errors.push(required(`${path}.name`))
  if (!service.name) errors.push(required(`${path}.namespace`))
  const { port = 0, path: urlPath = '' } = service
  if (port < 1 || port > PORT_MAX) {
    const text = `port is not valid: must be between 1 and ${PORT_MAX}, inclusive`
    errors.push(invalidValue(`${path}.port`, port, text))
  }
  checkPath(errors, `${path}.path`, urlPath)
}

function checkPath(errors: FieldError[], path: string, urlPath: string): void {
  if (urlPath === '' || urlPath === '/') return
  if (urlPath === '//') {
    errors.push(invalidValue(path, urlPath, 'segment[0] may not be empty'))
    return
  }
  if (!urlPath.startsWith('/')) errors.push(invalidValue(path, urlPath, "must start with a '/'"))
  for (const [i, step] of urlPath.slice(1).replace(/\/$/, '').split('/').entries())
    if (step === '') errors.push(invalidValue(path, urlPath, `segment[${i}] may not be empty`))
    else
      for (const problem of isDns1123Subdomain(step))
        errors.push(invalidValue(path, urlPath, `segment[${i}]: ${problem}`))
}
