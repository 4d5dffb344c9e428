/** Makes short stories of one object (created, changed, read, deleted) that two API servers have to answer alike. */
import { formatApiVersion, type KindDefinition } from '#api/kind.ts'
import { SeededRandom } from '#base/random.ts'
import { Dice } from '../fuzz/dice.ts'
import { KIND_OBJECTS, type Body } from '../fuzz/objects.ts'
import { changeSteps } from './changes.ts'
import { mutated, type Step, type Subject } from './subject.ts'
import { subresourceSteps } from './subresources.ts'

export type Scenario = { readonly index: number; readonly kind: KindDefinition; readonly steps: readonly Step[] }

/** Objects of these kinds change how the server answers all others, so that they are only tried. */
const ONLY_TRIED = new Set([
  'MutatingWebhookConfiguration',
  'ValidatingWebhookConfiguration',
  'MutatingAdmissionPolicy',
  'MutatingAdmissionPolicyBinding',
  'ValidatingAdmissionPolicy',
  'ValidatingAdmissionPolicyBinding',
  'CustomResourceDefinition',
  'APIService',
  'PriorityClass',
  'ServiceCIDR',
  'LimitRange',
  'ResourceQuota',
])
export type ScenarioOptions = {
  readonly seed: number
  readonly index: number
  /** Four digits that tell one run from another: what one leaves behind never meets the next. */
  readonly run: string
  readonly only?: RegExp
}

export function makeScenario({ seed, index, run, only }: ScenarioOptions): Scenario {
  const dice = new Dice(new SeededRandom(Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(index + 1, 0x85ebca6b)))
  const wanted = KIND_OBJECTS.filter(({ kind }) => kind.stored && (only === undefined || only.test(idOf(kind))))
  const weighted = wanted.flatMap((entry) =>
    entry.kind.kind === 'Pod' || entry.kind.kind === 'Service' ? [entry, entry, entry] : [entry],
  )
  const { kind, bodies } = dice.pick(weighted)
  const subject = subjectOf({ kind, bodies, dice, index, run })
  return { index, kind, steps: stepsOf(subject) }
}

export function namespaceOf(run: string): string {
  return `differential-${run}`
}

export function idOf({ group, version, resource }: KindDefinition): string {
  return group === '' ? `${version}/${resource}` : `${group}/${version}/${resource}`
}

type SubjectOptions = {
  readonly kind: KindDefinition
  readonly bodies: readonly Body[]
  readonly dice: Dice
  readonly index: number
  readonly run: string
}

function subjectOf({ kind, bodies, dice, index, run }: SubjectOptions): Subject {
  const own = `r${run}x${index}`
  const text = JSON.stringify(dice.pick(bodies))
    .replaceAll('@NAME@', own)
    .replaceAll('@TOKEN@', `t${own.slice(1)}`)
  const body = JSON.parse(text) as Body
  const metadata = body['metadata'] as Body
  const { name = own } = metadata as { name?: string }
  if (metadata['generateName'] === undefined) metadata['name'] = name
  const root = kind.group === '' ? `/api/${kind.version}` : `/apis/${formatApiVersion(kind)}`
  const collection = `${root}${kind.namespaced ? `/namespaces/${namespaceOf(run)}` : ''}/${kind.resource}`
  return { kind, dice, name, collection, path: `${collection}/${name}`, body }
}

function stepsOf(subject: Subject): Step[] {
  const { kind, dice } = subject
  if (ONLY_TRIED.has(kind.kind)) return [tryCreate(subject)]
  const way = dice.weighted({ create: 4, change: 5, sub: kind.hasStatus || kind.subresources.length > 0 ? 3 : 0 })
  if (way === 'create') return [tryCreate(subject)]
  const steps = way === 'change' ? changeSteps(subject) : subresourceSteps(subject)
  return [createStep(subject, subject.body, { aside: true }), ...steps, ...endSteps(subject)]
}

function tryCreate(subject: Subject): Step {
  const { dice } = subject
  const validation = dice.pick(['', '', '&fieldValidation=Strict', '&fieldValidation=Ignore'])
  const { body } = dice.chance(0.05) ? subject : mutated(subject)
  return createStep(subject, body, { query: `?dryRun=All${validation}` })
}

function createStep({ collection }: Subject, body: Body, options: { query?: string; aside?: boolean }): Step {
  const { query = '', aside = false } = options
  return { what: 'create', method: 'POST', path: `${collection}${query}`, body, ...(aside ? { aside } : {}) }
}

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io'

function endSteps({ kind, dice, path, collection, name, body }: Subject): Step[] {
  const read: Step = { what: 'get', method: 'GET', path }
  const rows: Step = { what: 'table', method: 'GET', path, headers: { accept: TABLE } }
  const selected: Step = {
    what: 'select',
    method: 'GET',
    path: `${collection}?fieldSelector=${selectorOf(kind, dice, body, name)}`,
  }
  const untie: Step = {
    what: 'untie',
    method: 'PATCH',
    path,
    body: { metadata: { finalizers: null } },
    headers: { 'content-type': 'application/merge-patch+json' },
    aside: true,
  }
  const end: Step = { what: 'delete', method: 'DELETE', path, body: deleteOptions(dice), aside: true }
  const surely: Step = { what: 'surely', method: 'DELETE', path: `${path}?gracePeriodSeconds=0`, aside: true }
  return [read, rows, ...(dice.chance(0.3) ? [selected] : []), end, untie, surely]
}

function selectorOf(kind: KindDefinition, dice: Dice, body: Body, name: string): string {
  const path = dice.pick(Object.keys(kind.selectableFields))
  if (path === undefined) return `metadata.name%3D${name}`
  const value = path.split('.').reduce<unknown>((at, key) => (at as Body | undefined)?.[key], body)
  return `metadata.name%3D${name},${path}${dice.pick(['%3D', '!%3D'])}${encodeURIComponent(typeof value === 'string' ? value : '')}`
}

function deleteOptions(dice: Dice): Body | undefined {
  if (dice.chance(0.5)) return undefined
  return {
    kind: 'DeleteOptions',
    apiVersion: 'v1',
    ...(dice.chance(0.3) ? { gracePeriodSeconds: dice.pick([0, 1, 30, -1]) } : {}),
    ...(dice.chance(0.3) ? { propagationPolicy: dice.pick(['Orphan', 'Background', 'Foreground', 'x', '']) } : {}),
    ...(dice.chance(0.2) ? { orphanDependents: dice.chance(0.5) } : {}),
    ...(dice.chance(0.2) ? { dryRun: [dice.pick(['All', 'x'])] } : {}),
    ...(dice.chance(0.1) ? { preconditions: { uid: 'x' } } : {}),
  }
}
