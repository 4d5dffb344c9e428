/** Tells when an answer that lasts (a watch, a log, a stream) has ended. */
import type { ApiResponse } from '../request.ts'

/** The same answer; `callback` is called once, when its stream was read to its end or closed. */
export function whenOver(response: ApiResponse, callback: () => void): ApiResponse {
  let isOver = false
  const end = (): void => {
    if (!isOver) callback()
    isOver = true
  }
  const { body } = response
  if (body.form === 'watch') {
    const { stream } = body
    const close = (): void => {
      end()
      stream.close()
    }
    return { ...response, body: { ...body, stream: { next: () => stream.next(), close } } }
  }
  if (body.form === 'upgrade')
    return {
      ...response,
      body: {
        form: 'upgrade',
        accept: (connection) => {
          connection.socket.once('close', end)
          body.accept(connection)
        },
      },
    }
  if (body.form === 'raw' && typeof body.content !== 'string' && !Buffer.isBuffer(body.content))
    return { ...response, body: { ...body, content: followed(body.content, end) } }
  end()
  return response
}

async function* followed(content: AsyncIterable<Uint8Array>, end: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* content
  } finally {
    end()
  }
}
