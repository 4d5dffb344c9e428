/** Serves documents that rarely change with the conditions and ranges of HTTP, as Go's file server does. */
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { parseAccept } from './accept-header.ts'

const compress = promisify(gzip)

export type StaticContent = {
  readonly content: Buffer
  /** Without quotes; '' for a document that has none. */
  readonly etag: string
  readonly modifiedMs: number
  readonly contentType: string
  readonly headers?: Readonly<Record<string, string>>
}

export function serveContent({ method, headers }: ApiRequest, document: StaticContent): ApiResponse {
  const { content, etag, modifiedMs, contentType } = document
  const quoted = etag === '' ? {} : { ETag: `"${etag}"` }
  const own = { ...document.headers, ...quoted, 'Last-Modified': new Date(modifiedMs).toUTCString() }
  const condition = checkConditions(method, headers, { etag: `"${etag}"`, modifiedMs })
  if (condition === 304) {
    const kept = etag === '' ? own : { ...document.headers, ...quoted }
    return { code: 304, headers: kept, body: { form: 'raw', contentType: '', content: '' } }
  }
  if (condition === 412) return { code: 412, headers: own, body: { form: 'raw', contentType, content: '' } }
  const ranged = { ...own, 'Accept-Ranges': 'bytes' }
  const range = parseRange(headers['range'], content.length)
  if (range === null) return { code: 200, headers: ranged, body: { form: 'raw', contentType, content } }
  if (range === 'none') return unsatisfiable(content.length, own)
  const [start, end] = range
  return {
    code: 206,
    headers: { ...ranged, 'Content-Range': `bytes ${start}-${end}/${content.length}` },
    body: { form: 'raw', contentType, content: content.subarray(start, end + 1) },
  }
}

type Headers = ApiRequest['headers']

/** The code that answers instead of the document; null to send it. */
function checkConditions(
  method: string,
  headers: Headers,
  { etag, modifiedMs }: { readonly etag: string; readonly modifiedMs: number },
): 304 | 412 | null {
  const isRead = method === 'GET' || method === 'HEAD'
  const modifiedSeconds = Math.floor(modifiedMs / 1000)
  const ifMatch = headers['if-match']
  if (ifMatch !== undefined && !hasTag(ifMatch, etag)) return 412
  const unmodifiedSince = secondsOf(headers['if-unmodified-since'])
  if (ifMatch === undefined && unmodifiedSince !== null && modifiedSeconds > unmodifiedSince) return 412
  const ifNoneMatch = headers['if-none-match']
  if (ifNoneMatch !== undefined) return hasTag(ifNoneMatch, etag) ? (isRead ? 304 : 412) : null
  const modifiedSince = isRead ? secondsOf(headers['if-modified-since']) : null
  return modifiedSince !== null && modifiedSeconds <= modifiedSince ? 304 : null
}

const hasTag = (list: string, etag: string): boolean =>
  list.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag)

function secondsOf(text: string | undefined): number | null {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? null : Math.floor(time / 1000)
}

/** First and last byte; null for the whole (several ranges at once are not worth their form); `none` when none of it is there. */
function parseRange(header: string | undefined, size: number): readonly [number, number] | 'none' | null {
  const [, first = '', last = ''] = /^bytes=\s*(\d*)-(\d*)\s*$/.exec(header ?? '') ?? []
  if (first === '' && last === '') return null
  if (first === '') return Number(last) === 0 ? 'none' : [Math.max(0, size - Number(last)), size - 1]
  const start = Number(first)
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1)
  return start >= size || end < start ? 'none' : [start, end]
}

const unsatisfiable = (size: number, headers: Record<string, string>): ApiResponse => ({
  code: 416,
  headers: { ...headers, 'Content-Range': `bytes */${size}`, 'X-Content-Type-Options': 'nosniff' },
  body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: 'invalid range: failed to overlap\n' },
})

const compressed = new WeakMap<Buffer, Promise<Buffer>>()

/** Compresses a whole document for who takes it; each one once, in another thread. */
export async function compressAnswer(response: ApiResponse, acceptEncoding: string | undefined): Promise<ApiResponse> {
  const { body } = response
  if (response.code !== 200 || body.form !== 'raw' || !Buffer.isBuffer(body.content)) return response
  if (!takesGzip(acceptEncoding)) return response
  let content = compressed.get(body.content)
  if (content === undefined) compressed.set(body.content, (content = compress(body.content)))
  return {
    ...response,
    headers: { ...response.headers, 'Content-Encoding': 'gzip' },
    body: { ...body, content: await content },
  }
}

/** Here, unlike for objects, a quality counts. */
const takesGzip = (header = ''): boolean =>
  parseAccept(header.replaceAll(/(^|,)\s*gzip\b/g, '$1gzip/gzip')).some(
    ({ type, quality }) => type === 'gzip' && quality > 0,
  )
