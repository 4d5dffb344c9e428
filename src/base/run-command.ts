/** Runs a program of the system and answers what it printed; a failure carries its own words. */
import { spawn } from 'node:child_process'

export class CommandError extends Error {
  readonly exitCode: number | null
  constructor(command: string, exitCode: number | null, output: string) {
    super(`${command}: ${output.trim() || `exit code ${exitCode}`}`)
    this.exitCode = exitCode
  }
}

/** Standard output of `program args…`, with `input` on its standard input. Throws CommandError for any exit code but 0. */
export function runCommand(program: string, args: readonly string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' })
    const [out, err]: [Buffer[], Buffer[]] = [[], []]
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
    child.on('error', (error) => reject(new CommandError(program, null, error.message)))
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(out).toString())
      else reject(new CommandError([program, ...args].join(' '), code, Buffer.concat(err).toString()))
    })
    child.stdin.on('error', () => {}) // The program may end without reading its input; its exit code tells.
    child.stdin.end(input)
  })
}
