/** Answers what is no HTTP request, or one with a method that HTTP does not have, and ends the connection. */
import type { Duplex } from 'node:stream'
import { methodNotAllowed } from '../routes.ts'

const STATUS_LINES: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
  if (error.code !== 'HPE_INVALID_METHOD')
    return void socket.end(
      `HTTP/1.1 ${STATUS_LINES[error.code ?? ''] ?? '400 Bad Request'}\r\nConnection: close\r\n\r\n`,
    )
  const body = `${JSON.stringify(methodNotAllowed().toStatus())}\n`
  const headers = ['Content-Type: application/json', `Content-Length: ${Buffer.byteLength(body)}`, 'Connection: close']
  socket.end(['HTTP/1.1 405 Method Not Allowed', ...headers, '', body].join('\r\n'))
}
