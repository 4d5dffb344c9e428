/** An answer of the kubelet's API that is an error; the text is what the user of kubectl sees. */
export class HttpError extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}
