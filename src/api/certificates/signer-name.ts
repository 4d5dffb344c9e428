/** Names of signers: `example.com/signer-name`. */
import { type FieldError, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import {
  DNS_LABEL_LENGTH_MAX,
  DNS_SUBDOMAIN_LENGTH_MAX,
  isDns1123Label,
  isDns1123Subdomain,
} from '#machinery/validation/names.ts'

/** Domain, slash, and a path that may name a namespace and an object in it. */
const SIGNER_BYTES_MAX = DNS_SUBDOMAIN_LENGTH_MAX + 1 + (DNS_SUBDOMAIN_LENGTH_MAX + DNS_LABEL_LENGTH_MAX + 1)

/** A signer that belongs to Kubernetes itself. */
export function isKubernetesSigner(name: string): boolean {
  const host = name.split('/', 1)[0]!
  return host === 'kubernetes.io' || host.endsWith('.kubernetes.io')
}

export function validateSignerName(errors: FieldError[], name: string, path: string): void {
  const [domain, signer, ...rest] = name.split('/')
  if (name === '') errors.push(required(path))
  else if (domain === undefined || signer === undefined || rest.length > 0) {
    const text = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    errors.push(invalidValue(path, name, text))
  } else {
    if (domain.length > DNS_SUBDOMAIN_LENGTH_MAX) errors.push(tooLong(path, DNS_SUBDOMAIN_LENGTH_MAX))
    checkParts(errors, domain, { path, check: isDns1123Label })
    if (!domain.includes('.'))
      errors.push(invalidValue(path, domain, 'should be a domain with at least two segments separated by dots'))
    checkParts(errors, signer, { path, check: isDns1123Subdomain })
    if (name.length > SIGNER_BYTES_MAX) errors.push(tooLong(path, SIGNER_BYTES_MAX))
  }
}

type PartCheck = { readonly path: string; readonly check: (part: string) => string[] }

/** Says what is wrong with the first bad part between dots. */
function checkParts(errors: FieldError[], text: string, { path, check }: PartCheck): void {
  for (const part of text.split('.')) {
    const messages = check(part)
    for (const message of messages)
      errors.push(invalidValue(path, text, `validating label ${JSON.stringify(part)}: ${message}`))
    if (messages.length > 0) return
  }
}
