/** Tells of a failure: which request, and the smallest form of it that still fails, as a command to type. */
import type { FuzzAnswer, FuzzClient } from './client.ts'
import { problemOf } from './answer-check.ts'
import type { Body } from './objects.ts'
import type { FuzzRequest } from './request.ts'

const TRIES_MAX = 400

/** A request with a smaller body that the server answers in as bad a way. */
export async function minimize(client: FuzzClient, request: FuzzRequest): Promise<FuzzRequest> {
  const object = jsonOf(request)
  if (object === null || !(await fails(client, request))) return request
  let smallest = request
  let tries = 0
  const shrink = async (value: unknown): Promise<void> => {
    if (value === null || typeof value !== 'object') return
    const parent = value as Record<string, unknown>
    for (const key of Object.keys(parent)) {
      const kept = parent[key]
      if (++tries > TRIES_MAX) return
      delete parent[key]
      const smaller = { ...request, body: Buffer.from(JSON.stringify(object)) }
      if (await fails(client, smaller)) smallest = smaller
      else {
        parent[key] = kept
        if (!Array.isArray(kept)) await shrink(kept)
        else for (const item of kept) await shrink(item)
      }
    }
  }
  await shrink(object)
  return smallest
}

async function fails(client: FuzzClient, request: FuzzRequest): Promise<boolean> {
  const answer: FuzzAnswer | null = await client.ask(request).catch(() => null)
  return answer === null || problemOf(request, answer) !== null
}

function jsonOf({ body }: FuzzRequest): Body | null {
  if (body === null) return null
  try {
    const value: unknown = JSON.parse(body.toString())
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? (value as Body) : null
  } catch {
    return null
  }
}

export function curlOf({ method, path, headers, body, protocol }: FuzzRequest): string {
  const text = body?.toString() ?? ''
  const isText = body === null || Buffer.from(text).equals(body)
  const data =
    body === null
      ? ''
      : isText
        ? ` --data-binary ${quote(text)}`
        : ` --data-binary @<(base64 -d <<< ${body.toString('base64')})`
  const fields = Object.entries(headers).map(([name, value]) => ` -H ${quote(`${name}: ${value}`)}`)
  return `curl --path-as-is --${protocol === 'h2' ? 'http2' : 'http1.1'} -X ${method} --cert admin.crt --key admin.key --cacert ca.crt${fields.join('')}${data} "$SERVER"${quote(path)}`
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
