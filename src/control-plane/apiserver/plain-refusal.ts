/** A refusal that is answered as a plain text, where upstream has no Status for it. */

export class PlainRefusal extends Error {
  readonly code: number
  /** '': none, as upstream's libraries answer. */
  readonly contentType: string
  readonly headers: Readonly<Record<string, string>>
  constructor(code: number, message: string, contentType = '', headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.headers = headers
    this.code = code
    this.contentType = contentType
  }
}

/** The server has too much to do: so says Go's http.Error. */
export const tooManyRequests = (retryAfterSeconds: number): PlainRefusal =>
  new PlainRefusal(429, 'Too many requests, please try again later.\n', 'text/plain; charset=utf-8', {
    'Retry-After': String(retryAfterSeconds),
    'X-Content-Type-Options': 'nosniff',
  })
