/** How Secrets are completed and checked: each known type has keys that it needs. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import type { Secret } from '#api/core/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, required, tooLong } from '#machinery/field-error.ts'
import { isConfigMapKey } from '#machinery/validation/names.ts'
import { validateImmutableField } from '#machinery/validation/object-meta.ts'
import { base64Bytes, CONTENT_BYTES_MAX, IMMUTABLE_CONTENT } from '../config-map/strategy.ts'

const ACCOUNT_NAME = 'kubernetes.io/service-account.name'

export const secretStrategy: Strategy<Secret> = {
  setDefaults(secret) {
    secret.type ||= 'Opaque'
    mergeStringData(secret)
  },
  validate: validateSecret,
  validateUpdate(secret, old) {
    const errors = validateImmutableField(secret.type, old.type, 'type')
    if (old.immutable === true) {
      if (secret.immutable !== true) errors.push(forbiddenField('immutable', IMMUTABLE_CONTENT))
      if (!isSemanticallyEqual(secret.data ?? {}, old.data ?? {}))
        errors.push(forbiddenField('data', IMMUTABLE_CONTENT))
    }
    return [...errors, ...validateSecret(secret)]
  },
  warnings: (secret) => (secret.type === 'kubernetes.io/tls' ? keyPairWarnings(secret) : []),
}

/** `stringData` is only a way to write `data`. */
function mergeStringData(secret: Secret): void {
  const entries = Object.entries(secret.stringData ?? {})
  delete secret.stringData
  if (entries.length === 0) return
  secret.data ??= {}
  for (const [key, text] of entries) secret.data[key] = Buffer.from(text).toString('base64')
}

function validateSecret(secret: Secret): FieldError[] {
  const errors: FieldError[] = []
  const data = secret.data ?? {}
  let bytes = 0
  for (const [key, value] of Object.entries(data)) {
    checkText(errors, `data[${key}]`, key, isConfigMapKey)
    bytes += base64Bytes(value)
  }
  if (bytes > CONTENT_BYTES_MAX) errors.push(tooLong('data', CONTENT_BYTES_MAX))
  validateType(errors, secret, data)
  return errors
}

function validateType(errors: FieldError[], { metadata, type }: Secret, data: Record<string, string>): void {
  const requireKey = (key: string): void => void errors.push(required(`data[${key}]`))
  switch (type) {
    case 'kubernetes.io/service-account-token':
      if (!metadata.annotations?.[ACCOUNT_NAME]) errors.push(required(`metadata.annotations[${ACCOUNT_NAME}]`))
      return
    case 'kubernetes.io/dockercfg':
      return validateJson(errors, '.dockercfg', data)
    case 'kubernetes.io/dockerconfigjson':
      return validateJson(errors, '.dockerconfigjson', data)
    case 'kubernetes.io/basic-auth':
      if (data.username === undefined && data.password === undefined) ['username', 'password'].forEach(requireKey)
      return
    case 'kubernetes.io/ssh-auth':
      if (!data['ssh-privatekey']) requireKey('ssh-privatekey')
      return
    case 'kubernetes.io/tls':
      for (const key of ['tls.crt', 'tls.key']) if (data[key] === undefined) requireKey(key)
  }
}

function validateJson(errors: FieldError[], key: string, data: Record<string, string>): void {
  const value = data[key]
  if (value === undefined) {
    errors.push(required(`data[${key}]`))
    return
  }
  const problem = jsonProblem(Buffer.from(value, 'base64').toString('utf8'))
  if (problem !== null) errors.push(invalidValue(`data[${key}]`, '<secret contents redacted>', problem))
}

function jsonProblem(text: string): string | null {
  if (text.trim() === '') return 'unexpected end of JSON input'
  try {
    const value: unknown = JSON.parse(text)
    if (value === null || (typeof value === 'object' && !Array.isArray(value))) return null
    const kind = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
    return `json: cannot unmarshal ${kind} into Go value of type map[string]interface {}`
  } catch (error) {
    return (error as Error).message
  }
}

/** The words of Go's TLS library for a pair that no server could use. */
function keyPairWarnings({ data = {} }: Secret): string[] {
  const [certificate, key] = [decodePem(data['tls.crt']), decodePem(data['tls.key'])]
  if (!certificate.includes('-----BEGIN')) return ['tls: failed to find any PEM data in certificate input']
  if (!key.includes('-----BEGIN')) return ['tls: failed to find any PEM data in key input']
  try {
    const isPair = new X509Certificate(certificate).checkPrivateKey(createPrivateKey(key))
    return isPair ? [] : ['tls: private key does not match public key']
  } catch (error) {
    return [`tls: ${(error as Error).message}`]
  }
}

const decodePem = (value = ''): string => Buffer.from(value, 'base64').toString('utf8')
