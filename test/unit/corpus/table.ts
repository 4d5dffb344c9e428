/** Compares the Table cells of a kind with recorded ones. */
import { isDeepStrictEqual } from 'node:util'
import type { KindDefinition } from '#api/kind.ts'
import type { KubernetesObject } from '#machinery/meta/object.ts'
import { decodeValue } from '#machinery/schema/decode.ts'
import { schemaOf } from '#machinery/schema/registry.ts'
import type { Comparison } from './compare.ts'
import type { Answer } from './scenarios.ts'

const NOW_MS = Date.parse('2026-01-02T03:04:05Z')

type Table = {
  readonly columnDefinitions?: readonly { readonly name: string }[]
  readonly rows: readonly { readonly cells: readonly unknown[]; readonly conditions?: readonly unknown[] }[]
}

export function compareRows(kind: KindDefinition, stored: Record<string, unknown>, answer: Answer): Comparison {
  const table = answer.b as unknown as Table
  const { object } = decodeValue<KubernetesObject>(schemaOf(kind.schema), stored)
  const row = table.rows[0]!
  const cells = kind.table.row(object, NOW_MS)
  const details = row.cells.flatMap((cell, i) =>
    isSameCell(cell, cells[i]) ? [] : [`cell ${i}: ${JSON.stringify(cell)}, got ${JSON.stringify(cells[i])}`],
  )
  if (cells.length !== row.cells.length) details.push(`${row.cells.length} cells, got ${cells.length}`)
  const columns = table.columnDefinitions?.map(({ name }) => name)
  const names = kind.table.columns.map(({ name }) => name)
  if (columns !== undefined && !isDeepStrictEqual(columns, names))
    details.push(`columns ${columns.join()}, got ${names.join()}`)
  const conditions = kind.table.rowConditions?.(object) ?? []
  if (!isDeepStrictEqual(row.conditions ?? [], conditions)) details.push(`conditions ${JSON.stringify(row.conditions)}`)
  return { verdict: details.length === 0 ? 'equal' : 'differs', details }
}

/** Ages were recorded as a placeholder. */
function isSameCell(expected: unknown, actual: unknown): boolean {
  if (typeof expected !== 'string' || !expected.includes('<age>')) return isDeepStrictEqual(expected, actual)
  const pattern = expected.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&').replaceAll('<age>', '(?:\\d+[smhdy])+')
  return typeof actual === 'string' && new RegExp(`^${pattern}$`).test(actual)
}
