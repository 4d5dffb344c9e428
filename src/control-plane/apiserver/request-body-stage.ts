/** Reads the body of a request, once it is known that its sender may make it. */
import type { ApiRequest, Stage } from './request.ts'

/** Their bodies go through to a pod, a service or a node as they come. */
const STREAMED = new Set(['proxy', 'exec', 'attach', 'portforward'])

/** `observe` is told the size of each body. */
export function createBodyStage(observe: (request: ApiRequest, bytes: number) => void): Stage {
  return async (request, next) => {
    const { connection, info, method, headers } = request
    if (connection === undefined || method === 'GET' || method === 'HEAD' || STREAMED.has(info.subresource))
      return next(request)
    const bytes = await connection.readBody()
    if (bytes.length === 0) return next(request)
    observe(request, bytes.length)
    return next({ ...request, body: { form: 'bytes', bytes, contentType: headers['content-type'] ?? '' } })
  }
}
