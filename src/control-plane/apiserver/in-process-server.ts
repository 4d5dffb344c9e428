/** Serves components of this process: the same chain as for the network, from authorization on, without any encoding. */
import type { InProcessAnswer, InProcessServer } from '#client/in-process-transport.ts'
import type { Clock } from '#base/clock.ts'
import { parseTarget } from './http/api-request.ts'
import { parseRequestInfo } from './request-info.ts'
import type { ApiRequest, ApiResponse, Handler, RequestBody, ServedWatchEvent, UserInfo } from './request.ts'

const LOCAL_ADDRESS = '127.0.0.1'

export type InProcessOptions = { readonly user: UserInfo; readonly closing: AbortSignal; readonly clock: Clock }

export function createInProcessServer(handler: Handler, { user, closing, clock }: InProcessOptions): InProcessServer {
  return async ({ method, path: target, query, headers, body, contentType, signal }) => {
    const { path } = parseTarget(target)
    const request: ApiRequest = {
      method,
      path,
      query,
      headers,
      body: bodyOf(body, contentType),
      info: parseRequestInfo(method, path, query),
      user,
      signal: AbortSignal.any([signal, closing]),
      warnings: new Set(),
      remoteAddress: LOCAL_ADDRESS,
    }
    return answerOf(await handler(request), path, clock)
  }
}

function bodyOf(body: unknown, contentType: string): RequestBody {
  return body === undefined ? { form: 'none' } : { form: 'object', object: body, contentType }
}

/** Stored objects go out as their shared views: nothing is copied or encoded. */
function answerOf({ body }: ApiResponse, path: string, clock: Clock): InProcessAnswer {
  switch (body.form) {
    case 'object':
      return { form: 'object', object: body.object }
    case 'stored':
      return { form: 'object', object: body.stored.object() }
    case 'list': {
      const { kind, apiVersion, metadata, items } = body
      return { form: 'object', object: { kind, apiVersion, metadata, items: items.map((item) => item.object()) } }
    }
    case 'watch':
      return watchAnswer(body.stream, clock)
    case 'raw':
      if (typeof body.content === 'string') return { form: 'object', object: parseText(body.content) }
      if (Buffer.isBuffer(body.content)) return { form: 'object', object: parseText(body.content.toString()) }
      throw new Error(`${path} answers with a stream of bytes, which a client in this process cannot read`)
    case 'upgrade':
      throw new Error(`${path} takes over its connection, which a client in this process does not have`)
  }
}

type Stream = Extract<ApiResponse['body'], { form: 'watch' }>['stream']

/** Objects that are decoded without a break: a few milliseconds of work. */
const EVENTS_PER_BATCH = 100

function watchAnswer(stream: Stream, clock: Clock): InProcessAnswer {
  let pending: readonly ServedWatchEvent[] = []
  const next = async (): Promise<readonly { type: string; object: unknown }[] | null> => {
    if (pending.length > 0) await clock.yield()
    else {
      const events = await stream.next()
      if (events === null) return null
      pending = events
    }
    const batch = pending.slice(0, EVENTS_PER_BATCH)
    pending = pending.slice(EVENTS_PER_BATCH)
    return batch.map((event) => ({ type: event.type, object: event.object() }))
  }
  return { form: 'watch', next, close: () => stream.close() }
}

function parseText(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch {
    return content
  }
}
