/** A refusal that is answered as a plain text, where upstream has no Status for it. */

export class PlainRefusal extends Error {
  readonly code: number
  /** '': none, as upstream's libraries answer. */
  readonly contentType: string
  constructor(code: number, message: string, contentType = '') {
    super(message)
    this.code = code
    this.contentType = contentType
  }
}
