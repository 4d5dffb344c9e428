/** Shows what the boxes of a cluster do: a line per box that changes in place in a terminal, plain lines otherwise. */

export interface Progress {
  report(box: string, text: string): void
}

export function createProgress(output: NodeJS.WriteStream): Progress {
  return output.isTTY ? new LiveProgress(output) : new PlainProgress(output)
}

class PlainProgress implements Progress {
  readonly #output: NodeJS.WritableStream
  constructor(output: NodeJS.WritableStream) {
    this.#output = output
  }
  report(box: string, text: string): void {
    this.#output.write(`${box}: ${text}\n`)
  }
}

class LiveProgress implements Progress {
  readonly #output: NodeJS.WritableStream
  readonly #lines = new Map<string, string>()
  constructor(output: NodeJS.WritableStream) {
    this.#output = output
  }
  report(box: string, text: string): void {
    const up = this.#lines.size
    this.#lines.set(box, text)
    const lines = [...this.#lines].map(([name, state]) => `\u001B[2K  ${name.padEnd(16)}${state}\n`)
    this.#output.write(`${up > 0 ? `\u001B[${up}A` : ''}${lines.join('')}`)
  }
}
