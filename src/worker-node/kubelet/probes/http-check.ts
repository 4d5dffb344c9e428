/** An HTTP request as probes and lifecycle hooks make it: no certificate checks, no keep-alive, no redirect to elsewhere. */
import http from 'node:http'
import https from 'node:https'
import type { Container, HTTPGetAction } from '#api/core/v1.gen.ts'

export type HttpAnswer = { readonly statusCode: number; readonly body: string; readonly leavesHost: boolean }

const BODY_BYTES_MAX = 10 * 1024
const REDIRECTS_MAX = 10

/** The number behind a port that may be a name of the container's ports. */
export function portNumber(port: number | string | undefined, container: Pick<Container, 'ports' | 'name'>): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find((candidate) => candidate.name === port)?.containerPort
  const number = named ?? Number(port)
  if (!Number.isInteger(number) || number <= 0 || number > 65_535) throw new Error(`couldn't find port: ${port}`)
  return number
}

export function probeUrl(action: HTTPGetAction, container: Pick<Container, 'ports' | 'name'>, podIp: string): URL {
  const host = action.host || podIp
  const path = action.path?.startsWith('/') ? action.path : `/${action.path ?? ''}`
  const scheme = (action.scheme || 'HTTP').toLowerCase()
  return new URL(`${scheme}://${host.includes(':') ? `[${host}]` : host}:${portNumber(action.port, container)}${path}`)
}

export async function httpCheck(
  url: URL,
  headers: readonly { readonly name: string; readonly value: string }[],
  options: { readonly userAgent: string; readonly signal: AbortSignal },
): Promise<HttpAnswer> {
  let target = url
  for (let hop = 0; hop < REDIRECTS_MAX; hop++) {
    const { statusCode, location, body } = await requestOnce(target, headers, options)
    if (statusCode < 300 || statusCode >= 400 || location === undefined) return { statusCode, body, leavesHost: false }
    const next = new URL(location, target)
    if (next.hostname !== target.hostname) return { statusCode, body, leavesHost: true }
    target = next
  }
  throw new Error(`stopped after ${REDIRECTS_MAX} redirects`)
}

type Once = { readonly statusCode: number; readonly location: string | undefined; readonly body: string }

function requestOnce(
  url: URL,
  headers: readonly { readonly name: string; readonly value: string }[],
  { userAgent, signal }: { readonly userAgent: string; readonly signal: AbortSignal },
): Promise<Once> {
  return new Promise((resolve, reject) => {
    const options = {
      agent: false,
      rejectUnauthorized: false,
      signal,
      headers: { 'user-agent': userAgent, accept: '*/*', connection: 'close', ...headerMap(headers) },
    }
    const request = (url.protocol === 'https:' ? https : http).get(url, options, (response) => {
      const chunks: Buffer[] = []
      let bytes = 0
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        bytes += chunk.length
        if (bytes > BODY_BYTES_MAX) response.destroy() // The status is all that counts.
      })
      const done = (): void => {
        const body = Buffer.concat(chunks).toString().slice(0, BODY_BYTES_MAX)
        resolve({ statusCode: response.statusCode ?? 0, location: response.headers.location, body })
      }
      response.on('end', done)
      response.on('close', done)
      response.on('error', reject)
    })
    request.on('error', reject)
  })
}

function headerMap(headers: readonly { readonly name: string; readonly value: string }[]): Record<string, string[]> {
  const map: Record<string, string[]> = {}
  for (const { name, value } of headers) (map[name.toLowerCase()] ??= []).push(value)
  return map
}
