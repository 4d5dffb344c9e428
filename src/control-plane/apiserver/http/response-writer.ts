/** Turns an answer of the chain into bytes on the wire, in the form and encoding that the client accepts. */
import type { Clock } from '#base/clock.ts'
import { StatusError } from '#machinery/status-error.ts'
import type { ProtobufTypes } from '../protobuf-types.ts'
import type { ApiRequest, ApiResponse, RequestInfo, ResponseBody } from '../request.ts'
import type { Exchange } from './exchange.ts'
import { acceptsGzip } from './accept-header.ts'
import { writeJson } from './json-writer.ts'
import { listParts, type EncodedList } from './list-parts.ts'
import { encodeCborObject } from './cbor-writer.ts'
import {
  CBOR,
  JSON_TYPE,
  negotiate,
  noSuchForm,
  PLAIN,
  PROTOBUF,
  RESOURCE,
  wantsPretty,
  YAML_TYPE,
  type Encoding,
  type MediaType,
} from './negotiation.ts'
import { compressInto, write, writeParts } from './output.ts'
import { encodeProtobuf } from './protobuf-writer.ts'
import { framingOf } from './watch-framing.ts'
import { writeWatch } from './watch-writer.ts'
import { writeYaml } from './yaml-writer.ts'

/** Smaller answers are not worth compressing (upstream's threshold). */
const GZIP_BYTES_MIN = 128 * 1024
const NEWLINE = Buffer.from('\n')

/** What the form of an answer depends on. */
export type AnswerRequest = Pick<ApiRequest, 'method' | 'headers' | 'query'> & {
  readonly info: Pick<RequestInfo, 'isResourceRequest'>
}

export type Headers = Record<string, string | readonly string[]>

/** Headers of every answer: what the server decided, and what the chain added. */
export function answerHeaders(request: ApiRequest | null, auditId: string, extra: ApiResponse['headers']): Headers {
  const headers: Headers = {
    'Audit-Id': auditId,
    'Cache-Control': 'no-cache, private',
    ...request?.answerHeaders,
    ...extra,
  }
  if (request !== null && request.warnings.size > 0)
    headers['Warning'] = [...request.warnings].map((text) => `299 - ${quoteWarning(text)}`)
  return headers
}

/** A quoted string of HTTP: one line, printable, with quotes and backslashes escaped. */
function quoteWarning(text: string): string {
  // eslint-disable-next-line no-control-regex
  const printable = text.replace(/[\u0000-\u001f\u007f]/g, ' ')
  return `"${printable.replace(/["\\]/g, String.raw`\$&`)}"`
}

export type WriteOptions = {
  readonly headers: Headers
  readonly clock: Clock
  readonly encodings: Encodings
  /** Told the bytes of a body that is an object or a list, as they are sent. */
  readonly onSize?: (bytes: number) => void
}

export async function writeResponse(
  exchange: Exchange,
  request: AnswerRequest,
  response: ApiResponse,
  options: WriteOptions,
): Promise<void> {
  const { headers, clock, encodings, onSize = () => {} } = options
  const { protobufTypes } = encodings
  const { body, code } = response
  switch (body.form) {
    case 'object':
    case 'stored': {
      const chosen = body.form === 'object' ? body.written : undefined
      const encoding = chosen === undefined ? encodingFor(request, code, encodings) : { ...PLAIN_ENCODING, ...chosen }
      const encoded = encodeSingle(request, body, encoding, protobufTypes)
      const content = chosen === undefined ? encoded : { ...encoded, ...chosen }
      return writeWhole(exchange, request, { code, headers, onSize, ...content })
    }
    case 'list': {
      const encoding = encodingFor(request, code, encodings)!
      const { mediaType } = encoding
      const parts = await listParts(body, { mediaType, pretty: isPretty(request, encoding), clock, protobufTypes })
      return writeListParts(exchange, request, { code, headers, onSize, ...parts, clock })
    }
    case 'watch': {
      const { mediaType } = encodingFor(request, code, encodings)!
      const framing = framingOf(mediaType, protobufTypes)
      const compress = body.isWatchList === true && acceptsGzip(request.headers['accept-encoding'])
      return writeWatch(exchange, code, headers, { stream: body.stream, clock, framing, compress })
    }
    case 'raw':
      return writeRaw(exchange, code, headers, body)
    case 'upgrade': {
      if (exchange.upgrade === null) throw new StatusError(UPGRADE_REQUIRED)
      return body.accept(exchange.upgrade)
    }
  }
}

/** The encodings that this server has. */
export type Encodings = { readonly mediaTypes: readonly MediaType[]; readonly protobufTypes: ProtobufTypes }

/** Null for an error that is in no encoding that the client accepts: it is answered all the same. */
function encodingFor({ info, headers }: AnswerRequest, code: number, { mediaTypes }: Encodings): Encoding | null {
  const encoding = negotiate(headers['accept'], mediaTypes, info.isResourceRequest && code < 400 ? RESOURCE : PLAIN)
  if (encoding === null && code < 400) throw noSuchForm(mediaTypes)
  return encoding
}

const PLAIN_ENCODING = { pretty: false, form: null } as const

const UPGRADE_REQUIRED = { code: 400, reason: 'BadRequest', message: 'Upgrade request required' } as const

/** `contentType` is set where the answer says more than its encoding. */
type Encoded = {
  readonly mediaType: string
  readonly contentType?: string
  readonly content: Buffer
  readonly newline: boolean
}

function encodeSingle(
  request: AnswerRequest,
  body: Extract<ResponseBody, { form: 'object' | 'stored' }>,
  encoding: Encoding | null,
  protobufTypes: ProtobufTypes,
): Encoded {
  if (encoding === null) return encodeObject((body as { object: unknown }).object, JSON_TYPE, true)
  const { mediaType } = encoding
  if (mediaType === PROTOBUF) {
    const content = encodeProtobuf(body.form === 'stored' ? body.stored.object() : body.object, protobufTypes)
    if (content !== null) return { mediaType, content, newline: false }
  }
  if (mediaType === CBOR) {
    const object = body.form === 'stored' ? body.stored.object() : body.object
    return { mediaType, content: encodeCborObject(object, protobufTypes), newline: false }
  }
  const pretty = isPretty(request, encoding)
  if (body.form === 'stored' && mediaType === JSON_TYPE && !pretty)
    return { mediaType, content: body.stored.bytes, newline: true }
  const object = body.form === 'stored' ? (JSON.parse(body.stored.bytes.toString()) as unknown) : body.object
  return encodeObject(object, mediaType, pretty)
}

const isPretty = ({ query, headers }: AnswerRequest, { pretty }: Encoding): boolean =>
  pretty || wantsPretty(query, headers['user-agent'])

function encodeObject(object: unknown, mediaType: MediaType, pretty: boolean): Encoded {
  if (mediaType === YAML_TYPE) return { mediaType, content: Buffer.from(writeYaml(object)), newline: false }
  return { mediaType: JSON_TYPE, content: Buffer.from(writeJson(object, pretty)), newline: !pretty }
}

async function writeWhole(
  exchange: Exchange,
  request: AnswerRequest,
  { code, headers, onSize, mediaType, contentType = mediaType, content, newline }: Encoded & Answer,
): Promise<void> {
  const compress = content.length > GZIP_BYTES_MIN && acceptsGzip(request.headers['accept-encoding'])
  const parts = newline ? [content, NEWLINE] : [content]
  const size = content.length + (newline ? 1 : 0)
  const head: Headers = { ...headers, 'Content-Type': contentType }
  if (compress) Object.assign(head, COMPRESSED)
  else head['Content-Length'] = String(size)
  exchange.sendHead(code, head)
  if (request.method === 'HEAD') return void exchange.output.end()
  if (!compress) onSize(size)
  const output = compress ? compressInto(exchange.output, onSize) : exchange.output
  if (size <= GZIP_BYTES_MIN) return void output.end(newline ? Buffer.concat(parts, size) : content)
  for (const part of parts) await write(output, part)
  output.end()
}

const COMPRESSED = { 'Content-Encoding': 'gzip', Vary: 'Accept-Encoding' }

type Answer = { readonly code: number; readonly headers: Headers; readonly onSize: (bytes: number) => void }
type ListAnswer = EncodedList & Answer & { readonly clock: Clock }

async function writeListParts(
  exchange: Exchange,
  request: AnswerRequest,
  { code, headers, onSize, mediaType, parts, size, clock }: ListAnswer,
): Promise<void> {
  const compress = (size ?? Infinity) > GZIP_BYTES_MIN && acceptsGzip(request.headers['accept-encoding'])
  const sizing: Headers = compress ? COMPRESSED : size === null ? {} : { 'Content-Length': String(size) }
  exchange.sendHead(code, { ...headers, 'Content-Type': mediaType, ...sizing })
  if (request.method === 'HEAD') return void exchange.output.end()
  const output = compress ? compressInto(exchange.output, onSize) : exchange.output
  const written = await writeParts(output, parts, clock)
  if (!compress) onSize(written)
  output.end()
}

async function writeRaw(
  exchange: Exchange,
  code: number,
  headers: Headers,
  { contentType, content }: Extract<ResponseBody, { form: 'raw' }>,
): Promise<void> {
  const head: Headers = contentType === '' ? headers : { ...headers, 'Content-Type': contentType }
  if (typeof content === 'string' || Buffer.isBuffer(content)) {
    const bytes = Buffer.from(content)
    exchange.sendHead(code, { ...head, 'Content-Length': String(bytes.length) })
    return void exchange.output.end(exchange.method === 'HEAD' ? undefined : bytes)
  }
  exchange.sendHead(code, head)
  if (exchange.method === 'HEAD') {
    exchange.output.end()
    // A stream that nobody reads would hold its source.
    return void (await content[Symbol.asyncIterator]().return?.())
  }
  for await (const chunk of content)
    await write(exchange.output, Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength))
  exchange.output.end()
}
