/** The recorded scenarios of a real API server: read from `../shared`, by area and kind. */
import { existsSync, readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'

const CORPUS_DIR = new URL('../../../../shared/kubernetes/corpus/open/', import.meta.url)

/** False in a clone alone: the recordings are no part of the repository. */
export const hasCorpus: boolean = existsSync(CORPUS_DIR)

export type Answer = {
  readonly code: number
  readonly h?: Readonly<Record<string, string | string[]>>
  readonly b?: Record<string, unknown>
}

export type Step = {
  readonly m?: string
  readonly p?: string
  readonly h?: Readonly<Record<string, string | null>>
  readonly b?: Record<string, unknown>
  readonly id?: string
  readonly r?: Answer
}

export type Scenario = { readonly name: string; readonly area: string; readonly steps: readonly Step[] }

/** Stands for the namespace and name prefix that the recording left open. */
const NAMESPACE = 'o7f3a91r1'
/** Stands for placeholders of values that the server made up. */
const FILLED_IN: readonly (readonly [RegExp, string])[] = [
  [/@NS@/g, NAMESPACE],
  [/<time>/g, '2026-01-02T03:04:05Z'],
  [/<microtime>/g, '2026-01-02T03:04:05.000000Z'],
  [/<uid:(\d+)>/g, '00000000-0000-4000-8000-00000000000$1'],
  [/<rv:(\d+)>/g, '$1'],
  [/<ip:(\d+)>/g, '10.96.0.10$1'],
  [/<kube-api-access:\d+>/g, 'kube-api-access-1'],
  // Node ports are numbers; as text they stand inside other texts.
  [/"<nodeport:(\d+)>"/g, '3000$1'],
  [/<nodeport:(\d+)>/g, '3000$1'],
]

export function readScenarios(area: string): Scenario[] {
  const text = gunzipSync(readFileSync(new URL(`${area}.jsonl.gz`, CORPUS_DIR))).toString('utf8')
  return fillIn(text)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Scenario)
}

function fillIn(text: string): string {
  return FILLED_IN.reduce((filled, [pattern, value]) => filled.replace(pattern, value), text)
}

export type Target = {
  /** `v1/pods`. */
  readonly id: string
  readonly group: string
  readonly version: string
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly subresource: string
}

/** What a path names; null for paths that are no resource's. */
export function targetOf(path: string): Target | null {
  const parts = path.split('?', 1)[0]!.split('/').slice(1)
  const [group, version, rest] =
    parts[0] === 'api' ? ['', parts[1]!, parts.slice(2)] : [parts[1] ?? '', parts[2] ?? '', parts.slice(3)]
  const isNamespaced = rest[0] === 'namespaces' && rest.length > 2 && !['status', 'finalize'].includes(rest[2]!)
  const [resource, name = '', subresource = ''] = isNamespaced ? rest.slice(2) : rest
  if (resource === undefined || version === '') return null
  const id = group === '' ? `${version}/${resource}` : `${group}/${version}/${resource}`
  return { id, group, version, resource, namespace: isNamespaced ? rest[1]! : '', name, subresource }
}
