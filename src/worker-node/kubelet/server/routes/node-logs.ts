/** /logs/: files below the node's /var/log. */
import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { HttpError } from '../http-error.ts'
import type { RequestHandler } from '../server-context.ts'

const ROOT = '/var/log'

export const serveNodeLogs: RequestHandler = async (_context, { parts }, response) => {
  const path = await realpath(join(ROOT, ...parts.map(decodeURIComponent))).catch(() => null)
  if (path === null || (path !== ROOT && !path.startsWith(ROOT + sep))) throw new HttpError(404, '404 page not found')
  if ((await stat(path)).isDirectory()) {
    const names = await readdir(path, { withFileTypes: true })
    const links = names.map((entry) => `${entry.name}${entry.isDirectory() ? '/' : ''}`)
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(`<pre>\n${links.map((link) => `<a href="${encodeURI(link)}">${link}</a>\n`).join('')}</pre>\n`)
    return
  }
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
  await pipeline(createReadStream(path), response)
}
