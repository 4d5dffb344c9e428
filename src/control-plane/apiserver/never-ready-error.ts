/** The server answers, and /readyz will never say that it is ready: its flags take away what it follows itself. */
export class NeverReadyError extends Error {
  /** Names of resources. */
  constructor(unserved: readonly string[]) {
    super(`the server is never ready: --runtime-config turns off what it follows itself: ${unserved.join(', ')}`)
  }
}
