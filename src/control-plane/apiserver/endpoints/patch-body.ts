/** The patch of a PATCH request: its type by content type, its value parsed. */
import { CborError } from '#machinery/cbor/decode.ts'
import { badRequest } from '#machinery/status-error.ts'
import { parseYamlStrictly, YamlError } from '#machinery/yaml.ts'
import { parseExactJson } from '#machinery/schema/exact-json.ts'
import { findDuplicates } from '#machinery/schema/field-problems.ts'
import { countFields, scanJson } from '#machinery/schema/json-scan.ts'
import { checkJsonDepth, parseJson } from '#machinery/schema/parse-json.ts'
import { CBOR, type MediaType } from '../http/negotiation.ts'
import { unroutable } from '../http/route-media.ts'
import type { ApiRequest } from '../request.ts'
import { readCborMap } from './cbor-body.ts'

export type Patch = {
  readonly type: 'json' | 'merge' | 'strategic' | 'apply'
  readonly body: unknown
  /** Duplicate fields of the patch itself. */
  readonly problems: readonly string[]
}

const APPLY_CBOR = 'application/apply-patch+cbor'

const TYPE_OF: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  [APPLY_CBOR]: 'apply',
}

/** The types of patches that there are beside the encodings of objects. */
export const patchTypesOf = (mediaTypes: readonly MediaType[]): string[] =>
  Object.keys(TYPE_OF).filter((type) => type !== APPLY_CBOR || mediaTypes.includes(CBOR))

export function readPatch(request: ApiRequest): Patch {
  const patch = parsePatch(request)
  request.audit?.recordValue(patch.body)
  return patch
}

function parsePatch({ body, headers }: ApiRequest): Patch {
  const contentType = (body.form === 'none' ? (headers['content-type'] ?? '') : body.contentType)
    .split(';')[0]!
    .trim()
    .toLowerCase()
  const type = TYPE_OF[contentType]
  if (type === undefined) throw unroutable()
  if (body.form === 'object') return { type, body: structuredClone(body.object), problems: [] }
  if (contentType === APPLY_CBOR) return readApplyOfCbor(body.form === 'bytes' ? body.bytes : Buffer.alloc(0))
  const text = body.form === 'bytes' ? body.bytes.toString('utf8') : ''
  if (type === 'apply') return readApply(text)
  if (scanJson(text).tooDeep !== '') throw badRequest('invalid JSON patch')
  const patch = type === 'strategic' ? parseJson(text) : readJsonPatch(text)
  return { type, body: patch, problems: duplicatesOf(text, patch) }
}

function readApply(text: string): Patch {
  try {
    const { value, duplicates } = parseYamlStrictly(text)
    const body = value ?? {}
    if (typeof body !== 'object' || Array.isArray(body)) throw badRequest(notMapText(body))
    return { type: 'apply', body, problems: duplicates }
  } catch (error) {
    if (!(error instanceof YamlError)) throw error
    // What looks like JSON is first read as such.
    const isJson = text.trimStart().startsWith('{')
    throw badRequest(
      isJson
        ? `error decoding patch: error converting YAML to JSON: ${error.message}`
        : `error encoding patch: ${error.message}`,
    )
  }
}

function readApplyOfCbor(bytes: Buffer): Patch {
  try {
    return { type: 'apply', body: JSON.parse(readCborMap(bytes, 'map[string]interface {}')) as unknown, problems: [] }
  } catch (error) {
    if (error instanceof CborError) throw badRequest(`error decoding patch: ${error.message}`)
    throw error
  }
}

function notMapText(value: unknown): string {
  const type = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  return `error decoding patch: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal ${type} into Go value of type map[string]interface {}`
}

function readJsonPatch(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw badRequest('invalid JSON patch')
  }
}

/** The slow search only where the text says more fields than the value has. */
function duplicatesOf(text: string, value: unknown): readonly string[] {
  const scan = scanJson(text)
  checkJsonDepth(scan)
  return scan.fields === countFields(value) ? [] : findDuplicates(parseExactJson(text))
}
