/** Walks the recorded scenarios of a kind and counts how many of its writes come out as recorded. */
import { KINDS, kindOf } from '#api/kinds.ts'
import type { KindDefinition } from '#api/kind.ts'
import { compare, type Comparison } from './compare.ts'
import { isBodyOf, replayWrite } from './replay.ts'
import { compareRows } from './table.ts'
import { readScenarios, type Scenario, type Step, type Target, targetOf } from './scenarios.ts'

export type StepResult = Comparison & { readonly scenario: string; readonly step: string }
export type KindResult = { readonly id: string; readonly results: readonly StepResult[] }

const AREAS = ['a', 'b']
const UID = '00000000-0000-4000-8000-000000000001'
/** Answers that the rules of a kind give; others come from admission, the registry or the protocol. */
const COMPARABLE_CODES = [200, 201, 400, 422]
/** Answers that show no stored object. */
const NO_OBJECTS = ['Status', 'Table', 'PartialObjectMetadata']

/** Results by kind; `only` picks kinds by id (`v1/pods`) or scenarios by a part of their name. */
export function runCorpus(only: { readonly kind?: string; readonly match?: string } = {}): KindResult[] {
  const byKind = new Map<string, StepResult[]>()
  for (const scenario of AREAS.flatMap(readScenarios)) {
    if (only.match !== undefined && !scenario.name.includes(only.match)) continue
    for (const { id, ...result } of runScenario(scenario, only.kind)) {
      const results = byKind.get(id) ?? []
      results.push(result)
      byKind.set(id, results)
    }
  }
  return KINDS.map(idOf)
    .filter((id) => byKind.has(id))
    .map((id) => ({ id, results: byKind.get(id)! }))
}

export function idOf({ group, version, resource }: KindDefinition): string {
  return group === '' ? `${version}/${resource}` : `${group}/${version}/${resource}`
}

type Stored = Map<string, Record<string, unknown>>

function* runScenario(scenario: Scenario, only: string | undefined): Generator<StepResult & { readonly id: string }> {
  const stored: Stored = new Map()
  for (const [position, step] of scenario.steps.entries()) {
    const target = step.p === undefined ? null : targetOf(step.p)
    if (target === null || step.r === undefined) continue
    const isWanted = only === undefined || target.id === only
    const comparison = isWanted ? runStep(step, target, stored) : null
    if (comparison !== null)
      yield {
        id: target.id,
        scenario: scenario.name,
        step: `${position}${step.id ? ` ${step.id}` : ''}`,
        ...comparison,
      }
    remember(step, target, stored)
  }
}

function runStep(step: Step, target: Target, stored: Stored): Comparison | null {
  const kind = kindOf(target.group, target.version, target.resource)
  const answer = step.r!
  if (kind !== undefined && isTableOf(step, target)) return compareTable(kind, stored, step, target)
  if (kind === undefined || !kind.stored || !COMPARABLE_CODES.includes(answer.code)) return null
  if (step.b === undefined || !isPlainJson(step) || hasVariables(step) || !isBodyOf(kind, step.b)) return null
  if (step.p!.includes('fieldValidation=') || step.p!.includes('fieldManager=bad')) return null
  const uid = (answer.b?.['metadata'] as Record<string, string> | undefined)?.['uid'] ?? UID
  if (step.m === 'POST' && target.name === '')
    return compare(replayWrite({ kind, target, body: step.b, old: null, uid }), answer)
  const old = stored.get(keyOf(target, target.name))
  if (
    step.m !== 'PUT' ||
    old === undefined ||
    !['', 'status', 'ephemeralcontainers', 'resize'].includes(target.subresource)
  )
    return null
  return compare(replayWrite({ kind, target, body: step.b, old, uid }), answer)
}

/** A Table of one object: its cells come from the kind alone. */
function isTableOf({ m, h = {}, r }: Step, { name, subresource }: Target): boolean {
  const isTable = Object.values(h).some((value) => value?.includes('as=Table') ?? false)
  return m === 'GET' && isTable && name !== '' && subresource === '' && r?.b?.['kind'] === 'Table'
}

function compareTable(kind: KindDefinition, stored: Stored, step: Step, target: Target): Comparison | null {
  const object = stored.get(keyOf(target, target.name))
  if (object === undefined) return null
  return compareRows(kind, object, step.r!)
}

function isPlainJson({ h = {} }: Step): boolean {
  return Object.entries(h).every(([name, value]) => {
    const lower = name.toLowerCase()
    return (lower !== 'content-type' && lower !== 'accept') || value === 'application/json'
  })
}

function hasVariables(step: Step): boolean {
  return /@\w+@/.test(`${step.p}${JSON.stringify(step.b)}`)
}

function keyOf({ id, namespace }: Target, name: string): string {
  return `${id} ${namespace}/${name}`
}

/** Keeps what the real server had stored after the step. */
function remember(step: Step, target: Target, stored: Stored): void {
  const { code, b } = step.r!
  if (code >= 300 || b === undefined || step.p!.includes('dryRun=')) return
  const name = (b['metadata'] as Record<string, string> | undefined)?.['name'] ?? target.name
  if (step.m === 'DELETE') stored.delete(keyOf(target, target.name))
  else if (!NO_OBJECTS.includes(b['kind'] as string) && !Array.isArray(b['items'])) stored.set(keyOf(target, name), b)
}
