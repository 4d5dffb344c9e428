/** The cluster's own image registry: the read half of the OCI distribution protocol over the image store. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Logger } from '#base/log.ts'
import type { ImageStore } from './image-store.ts'

const ROUTE = /^\/v2\/(?<repository>.+)\/(?<kind>manifests|blobs)\/(?<reference>[^/]+)$/

/** Serves until the server is closed. containerd names the registry it really means in `?ns=`. */
export function createRegistry(images: ImageStore, log: Logger): Server {
  return createServer((request, response) => {
    serve(images, request, response).catch((error: unknown) => {
      log.warn('registry request failed', { url: request.url, error: String(error) })
      response.destroy()
    })
  })
}

async function serve(images: ImageStore, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://registry')
  response.setHeader('docker-distribution-api-version', 'registry/2.0')
  if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, 'UNSUPPORTED')
  if (url.pathname === '/v2/') return void response.end('{}')
  const match = ROUTE.exec(url.pathname)?.groups
  if (!match) return refuse(response, 404, 'NAME_UNKNOWN')
  const isBlob = match['kind'] === 'blobs'
  const descriptor = isBlob
    ? await describeBlob(images, match['reference']!)
    : await images.resolve({
        registry: url.searchParams.get('ns') ?? 'docker.io',
        repository: match['repository']!,
        reference: match['reference']!,
      })
  if (descriptor === null) return refuse(response, 404, isBlob ? 'BLOB_UNKNOWN' : 'MANIFEST_UNKNOWN')
  response.writeHead(200, {
    'content-type': descriptor.mediaType,
    'content-length': descriptor.size,
    'docker-content-digest': descriptor.digest,
  })
  if (request.method === 'HEAD') return void response.end()
  await pipeline(images.readBlob(descriptor.digest), response)
}

async function describeBlob(images: ImageStore, digest: string) {
  const size = await images.blobSize(digest)
  return size === null ? null : { mediaType: 'application/octet-stream', digest, size }
}

function refuse(response: ServerResponse, code: number, error: string): void {
  response.writeHead(code, { 'content-type': 'application/json' })
  response.end(JSON.stringify({ errors: [{ code: error, message: error.toLowerCase().replaceAll('_', ' ') }] }))
}
