/** The object that a scenario is about, and what changes of it are made. */
import type { KindDefinition } from '#api/kind.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { Dice } from '../fuzz/dice.ts'
import { mutate, type Place } from '../fuzz/mutate.ts'
import type { Body } from '../fuzz/objects.ts'

export type Step = {
  readonly what: string
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly headers?: Readonly<Record<string, string>>
  /** Prepares or tidies up: its answer is compared, but tells nothing of the kind. */
  readonly aside?: boolean
}

/** What the makers of steps share: one object of one kind, and where it lives. */
export type Subject = {
  readonly kind: KindDefinition
  readonly dice: Dice
  readonly name: string
  readonly collection: string
  readonly path: string
  /** As a client would send it. */
  readonly body: Body
}

/** Parts that every object of a kind may have changed by a client. */
const NOT_MUTATED = new Set(['apiVersion', 'kind', 'status', 'metadata'])

/** A copy of the object with one or two mutations, and where they are. */
export function mutated({ kind, dice, body }: Subject, fields?: readonly string[]): { body: Body; places: Place[] } {
  const copy = structuredClone(body)
  const schema = schemaOf(kind.schema)
  const usual = [...schema.fields.keys()].filter((field) => !NOT_MUTATED.has(field))
  const places: Place[] = []
  const count = dice.weighted({ 1: 6, 2: 3, 3: 1 })
  for (let i = 0; i < Number(count); i++) {
    const inMetadata = fields === undefined && (usual.length === 0 || dice.chance(0.06))
    const options = { otherForms: 0.04, fields: fields ?? (inMetadata ? ['metadata'] : usual) }
    const place = mutate(copy, schema, dice, options)
    if (place !== null) places.push(place)
  }
  return { body: copy, places }
}
