/** The objects that a real API server answered, by kind. */
import type { KindDefinition } from '#api/kind.ts'
import { KINDS } from '#api/kinds.ts'
import { idOf } from './run.ts'
import { readScenarios, targetOf } from './scenarios.ts'

export type KindObjects = { readonly kind: KindDefinition; readonly objects: readonly Record<string, unknown>[] }

export function recordedObjects(areas: readonly string[]): KindObjects[] {
  const byId = new Map<string, Record<string, unknown>[]>()
  for (const { steps } of areas.flatMap(readScenarios))
    for (const { p: path, r: answer } of steps) {
      const id = path === undefined ? undefined : targetOf(path)?.id
      if (id === undefined || answer?.b === undefined || answer.code > 201) continue
      const objects = byId.get(id) ?? []
      objects.push(answer.b)
      byId.set(id, objects)
    }
  return KINDS.filter(({ stored }) => stored).flatMap((kind) => {
    const objects = (byId.get(idOf(kind)) ?? []).filter((body) => body['kind'] === kind.kind)
    return objects.length === 0 ? [] : [{ kind, objects }]
  })
}
