/** Checks who answers before a pod is evicted: names with a domain of their own, and the order in which they are asked. */
import type { EvictionResponder } from '#api/core/v1.gen.ts'
import { asSent } from '#api/go-values/show-as-go.ts'
import { declared, duplicate, type FieldError, invalidValue, required, tooMany } from '#machinery/field-error.ts'
import { isQualifiedName } from '#machinery/validation/names.ts'

const RESPONDERS_MAX = 10
const PRIORITY_MAX = 100_000
/** Below are those of Kubernetes itself. */
const PRIORITY_MIN = 1000
const RESERVED_DOMAINS = ['.k8s.io', '.kubernetes.io']

/** Declared on the type upstream, and so told after all other errors. */
export function validateEvictionResponders(
  errors: FieldError[],
  responders: readonly EvictionResponder[],
  path: string,
): void {
  const found: FieldError[] = []
  if (responders.length > RESPONDERS_MAX) found.push(tooMany(path, responders.length, RESPONDERS_MAX))
  else {
    for (const [i, responder] of responders.entries())
      if (responders.findIndex(({ name }) => name === responder.name) < i)
        found.push(duplicate(`${path}[${i}]`, asSent('io.k8s.api.core.v1.EvictionResponder', responder)))
    for (const [i, responder] of responders.entries()) validateResponder(found, responder, `${path}[${i}]`)
  }
  errors.push(...found.map(declared))
}

function validateResponder(
  errors: FieldError[],
  { name = '', priority }: Partial<EvictionResponder>,
  path: string,
): void {
  if (name === '') errors.push(required(`${path}.name`))
  else validateName(errors, name, `${path}.name`)
  const place = `${path}.priority`
  if (priority === undefined || priority === null) errors.push(required(place))
  else if (priority < 0) errors.push(invalidValue(place, priority, 'must be greater than or equal to 0'))
  else if (priority < PRIORITY_MIN)
    errors.push(invalidValue(place, priority, 'priorities 0-999 are reserved for responders with *.k8s.io suffix'))
  else if (priority > PRIORITY_MAX)
    errors.push(invalidValue(place, priority, `must be less than or equal to ${PRIORITY_MAX}`))
}

function validateName(errors: FieldError[], name: string, path: string): void {
  const domain = name.split('/')[0]!.toLowerCase().trim().replace(/\.+$/, '')
  if (RESERVED_DOMAINS.some((reserved) => `.${domain}`.endsWith(reserved))) {
    const text = `domain names ${RESERVED_DOMAINS.map((reserved) => `*${reserved}`).join(', ')} are reserved`
    errors.push(invalidValue(path, name, text))
  }
  const problems = isQualifiedName(name)
  if (problems.length === 0 && !name.includes('/')) problems.push("must include a prefix (e.g. 'example.com/key')")
  for (const problem of problems) errors.push(invalidValue(path, name, problem))
}
