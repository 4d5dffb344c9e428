/** A request body becomes an object: JSON or YAML, its kind checked against the URL's, all refusals in upstream's words. */
import { badRequest, StatusError } from '../status-error.ts'
import { parseYamlStrictly, YamlError } from '../yaml.ts'
import { scanJson } from './json-scan.ts'
import { checkJsonDepth } from './parse-json.ts'
import { DecodeError } from './decode-error.ts'
import { decodeJson, decodeValue, type Decoded, type FieldValidation } from './decode.ts'
import { parseExactJson } from './exact-json.ts'
import type { ObjectSchema } from './schema.ts'

export type Kind = { readonly group: string; readonly version: string; readonly kind: string }

export type DecodeBodyOptions = {
  readonly format: 'json' | 'yaml'
  /** Kind that the URL wants; it also fills what the body leaves out. */
  readonly expected: Kind
  /** Schema of any registered kind, null for others: bodies of another kind are read before they are refused. */
  schemaOf(kind: Kind): ObjectSchema | null
  readonly fieldValidation?: FieldValidation
  /** Kinds that are converted to the expected one (another version of it); the expected one itself unless said. */
  accepts?(kind: Kind): boolean
  /** Refusals are the decoder's own texts, without naming the body and what it should be (options of deletions). */
  readonly isBare?: boolean
}

export type DecodedBody = Decoded & {
  /** What the body says it is, with gaps filled. */
  readonly kind: Kind
}

/** How much of an unreadable body is repeated in the answer. */
const SUMMARY_BYTES = 30

/**
 * Throws 400 with upstream's text for everything that is wrong. With `Strict` problems are refused as well; with `Warn` they are
 * returned, for `Warning` headers.
 */
export function decodeBody(body: Buffer, options: DecodeBodyOptions): DecodedBody {
  const { expected } = options
  let parsed: ParsedBody
  try {
    parsed = options.format === 'json' ? readJson(body) : readYaml(body)
  } catch (error) {
    if (!(error instanceof DecodeError) && !(error instanceof YamlError)) throw error
    if (options.isBare === true) throw badRequest(error.message)
    throw badRequest(
      `the object provided is unrecognized (must be of type ${expected.kind}): ${error.message} (${summarize(body)})`,
    )
  }
  const kind = kindOf(parsed.typeMeta, expected)
  try {
    return { ...decodeAs(kind, parsed, options), kind }
  } catch (error) {
    if (!(error instanceof StatusError) || options.isBare === true) throw error
    throw badRequest(
      `${kind.kind} in version ${JSON.stringify(kind.version)} cannot be handled as a ${expected.kind}: ${error.message}`,
    )
  }
}

type TypeMeta = { readonly apiVersion?: unknown; readonly kind?: unknown }
type ParsedBody = {
  readonly typeMeta: TypeMeta
  readonly yamlDuplicates: readonly string[]
  decode(schema: ObjectSchema, fieldValidation: FieldValidation): Decoded
}

function readJson(body: Buffer): ParsedBody {
  const text = body.toString('utf8')
  explainVersionKind(() => checkJsonDepth(scanJson(text)))
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    value = explainVersionKind(() => parseExactJson(text))
  }
  return {
    typeMeta: explainVersionKind(() => checkTypeMeta(value)),
    yamlDuplicates: [],
    // A null is an object that says nothing.
    decode: (schema, fieldValidation) => decodeJson(schema, value === null ? '{}' : text, { fieldValidation }),
  }
}

function readYaml(body: Buffer): ParsedBody {
  const { value, duplicates } = parseYamlStrictly(body.toString('utf8'))
  return {
    typeMeta: explainVersionKind(() => checkTypeMeta(value ?? {})),
    yamlDuplicates: duplicates,
    decode: (schema, fieldValidation) => decodeValue(schema, value ?? {}, { fieldValidation }),
  }
}

function explainVersionKind<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof DecodeError)
      throw new DecodeError(`couldn't get version/kind; json parse error: ${error.message}`)
    throw error
  }
}

const TYPE_META = String.raw`struct { APIVersion string "json:\"apiVersion,omitempty\""; Kind string "json:\"kind,omitempty\"" }`

function checkTypeMeta(value: unknown): TypeMeta {
  if (value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value))
    throw new DecodeError(`json: cannot unmarshal ${goName(value)} into Go value of type ${TYPE_META}`)
  const { apiVersion, kind } = value as TypeMeta
  for (const [name, text] of Object.entries({ apiVersion, kind }))
    if (text !== undefined && text !== null && typeof text !== 'string')
      throw new DecodeError(`json: cannot unmarshal ${goName(text)} into Go struct field .${name} of type string`)
  return { apiVersion, kind }
}

function goName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}

/** What the body leaves open is taken from the URL. */
function kindOf({ apiVersion, kind }: TypeMeta, expected: Kind): Kind {
  const given = typeof apiVersion === 'string' ? apiVersion : ''
  const slash = given.indexOf('/')
  const groupVersion =
    given === ''
      ? { group: expected.group, version: expected.version }
      : { group: slash < 0 ? '' : given.slice(0, slash), version: given.slice(slash + 1) }
  return { ...groupVersion, kind: typeof kind === 'string' && kind !== '' ? kind : expected.kind }
}

function decodeAs(kind: Kind, parsed: ParsedBody, options: DecodeBodyOptions): Decoded {
  const schema = options.schemaOf(kind)
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  if (schema === null)
    throw badRequest(
      `no kind ${JSON.stringify(kind.kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "pkg/runtime/scheme.go:111"`,
    )
  const fieldValidation = options.fieldValidation ?? 'Ignore'
  const { object, problems } = parsed.decode(schema, fieldValidation)
  if (fieldValidation === 'Strict') refuseProblems(parsed.yamlDuplicates, problems)
  const { expected } = options
  const accepts = options.accepts ?? ((other: Kind) => isSameKind(other, expected))
  if (!accepts(kind)) throw badRequest(conversionText(kind, expected))
  object['apiVersion'] = apiVersion
  object['kind'] = kind.kind
  return { object, problems: fieldValidation === 'Warn' ? [...parsed.yamlDuplicates, ...problems] : problems }
}

function refuseProblems(yamlDuplicates: readonly string[], problems: readonly string[]): void {
  const texts = [...problems]
  if (yamlDuplicates.length > 0)
    texts.unshift(`yaml: unmarshal errors:\n${yamlDuplicates.map((text) => `  ${text}`).join('\n')}`)
  if (texts.length > 0) throw badRequest(`strict decoding error: ${texts.join(', ')}`)
}

function isSameKind(one: Kind, other: Kind): boolean {
  return one.group === other.group && one.version === other.version && one.kind === other.kind
}

/** Upstream's internal types live in packages named after the group's first word. */
function conversionText(from: Kind, to: Kind): string {
  const internal = to.group === '' ? 'core' : to.group.split('.')[0]
  return `converting (${from.version}.${from.kind}) to (${internal}.${to.kind}): unknown conversion`
}

function summarize(body: Buffer): string {
  if (body.length === 0) return '<empty>'
  const isText = body[0] === 0x7b
  const head = body.subarray(0, SUMMARY_BYTES).toString(isText ? 'utf8' : 'hex')
  return body.length > SUMMARY_BYTES ? `${head} ...` : head
}
