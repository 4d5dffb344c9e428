/** Writes to the subresources of an object that exists. */
import { schemaOf } from '#machinery/schema/registry.ts'
import type { ObjectSchema } from '#machinery/schema/schema.ts'
import { mutate } from '../fuzz/mutate.ts'
import type { Body } from '../fuzz/objects.ts'
import { valueForField } from '../fuzz/values.ts'
import { mutated, type Step, type Subject } from './subject.ts'

const MERGE = { 'content-type': 'application/merge-patch+json' }
/** These speak to a kubelet or to the object's own server. */
const CONNECTIONS = new Set(['exec', 'attach', 'portforward', 'proxy', 'log', 'finalize'])

export function subresourceSteps(subject: Subject): Step[] {
  const { kind, dice } = subject
  const names = kind.subresources.map(({ name }) => name).filter((name) => !CONNECTIONS.has(name))
  if (kind.hasStatus) names.push('status', 'status', 'status')
  const name = dice.pick(names)
  if (name === undefined) return []
  const count = 1 + dice.below(2)
  return Array.from({ length: count }, () => (name === 'status' ? statusStep(subject) : otherStep(subject, name)))
}

function statusStep(subject: Subject): Step {
  const { kind, dice, path } = subject
  const schema = schemaOf(kind.schema)
  const field = schema.fields.get('status')!
  const body = structuredClone(subject.body)
  if (body['status'] === undefined) body['status'] = valueForField(schema, field, dice)
  if (dice.chance(0.6)) mutate(body, schema, dice, { otherForms: 0.03, fields: ['status'] })
  const query = dice.chance(0.3) ? '?dryRun=All' : ''
  if (dice.chance(0.5)) {
    const patch = { status: body['status'] ?? null }
    return { what: 'status-patch', method: 'PATCH', path: `${path}/status${query}`, body: patch, headers: MERGE }
  }
  if (dice.chance(0.9)) (body['metadata'] as Body)['resourceVersion'] = '@RV@'
  return { what: 'status', method: 'PUT', path: `${path}/status${query}`, body }
}

function otherStep(subject: Subject, name: string): Step {
  const { kind, dice, path } = subject
  const subresource = kind.subresources.find((entry) => entry.name === name)!
  const verb = dice.pick(subresource.verbs)
  const query = dice.chance(0.5) ? '?dryRun=All' : ''
  const place = `${path}/${name}${query}`
  if (verb === 'get') return { what: name, method: 'GET', path: place }
  const own = subresource.kind.kind === kind.kind
  const body = own ? mutated(subject).body : bodyOfKind(subject, subresource.kind)
  if (verb === 'patch') {
    const patch = Object.fromEntries(Object.entries(body).filter(([key]) => key === 'spec' || key === 'status'))
    return { what: `${name}-patch`, method: 'PATCH', path: place, body: patch, headers: MERGE }
  }
  if (own && dice.chance(0.8)) (body['metadata'] as Body)['resourceVersion'] = '@RV@'
  return { what: name, method: verb === 'create' ? 'POST' : 'PUT', path: place, body }
}

const PACKAGES: Readonly<Record<string, string>> = {
  '': 'io.k8s.api.core.v1',
  'authentication.k8s.io': 'io.k8s.api.authentication.v1',
  autoscaling: 'io.k8s.api.autoscaling.v1',
  policy: 'io.k8s.api.policy.v1',
}

function bodyOfKind(
  { dice, name }: Subject,
  { group, version, kind }: { group: string; version: string; kind: string },
): Body {
  const schema: ObjectSchema = schemaOf(`${PACKAGES[group]}.${kind}`)
  const body: Body = { apiVersion: group === '' ? version : `${group}/${version}`, kind, metadata: { name } }
  for (const field of schema.fields.values())
    if (!(field.name in body) && dice.chance(0.8)) body[field.name] = valueForField(schema, field, dice)
  if (dice.chance(0.5))
    mutate(body, schema, dice, {
      otherForms: 0.05,
      fields: [...schema.fields.keys()].filter((key) => key !== 'kind' && key !== 'apiVersion'),
    })
  return body
}
