/** The programs of test/clients: builds what they need into .cache, and runs their checks against a cluster. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const ROOT = new URL('../../', import.meta.url).pathname
const SOURCES = join(ROOT, 'test/clients')
const CACHE = join(ROOT, '.cache/clients')
/** A first build of client-go on a small machine. */
const BUILD_LIMIT_MS = 15 * 60_000
const RUN_LIMIT_MS = 90_000

/** How a program is called; its checks follow. */
export type Program = readonly [command: string, ...args: string[]]

export const LANGUAGES = ['go', 'python', 'java', 'javascript'] as const
export type Language = (typeof LANGUAGES)[number]

const PREPARATIONS: Record<Language, () => Program> = { go, python, java, javascript }

/** Null where the toolchain or the packages are not to be had; says so on standard error. */
export function clientProgram(language: Language): Program | null {
  try {
    return PREPARATIONS[language]()
  } catch (error) {
    process.stderr.write(`SKIPPED: the ${language} client cannot be built here: ${String(error)}\n`)
    return null
  }
}

function go(): Program {
  const program = join(CACHE, 'go-clients')
  // One package at a time: client-go is large. Go itself knows what has changed.
  call('go', ['build', '-p=1', '-buildvcs=false', '-o', program, '.'], join(SOURCES, 'go'))
  return [program]
}

function python(): Program {
  const venv = join(CACHE, 'python')
  const requirements = join(SOURCES, 'python/requirements.txt')
  unlessMade(venv, requirements, () => {
    call('python3', ['-m', 'venv', venv], CACHE)
    call(join(venv, 'bin/pip'), ['install', '--quiet', '--requirement', requirements], CACHE)
  })
  return [join(venv, 'bin/python'), join(SOURCES, 'python/clients.py')]
}

function java(): Program {
  const libraries = join(CACHE, 'java')
  const project = join(SOURCES, 'java/pom.xml')
  unlessMade(libraries, project, () =>
    call('mvn', ['-q', '-B', '-f', project, 'dependency:copy-dependencies', `-DoutputDirectory=${libraries}`], CACHE),
  )
  return ['java', '-cp', join(libraries, '*'), join(SOURCES, 'java/Clients.java')]
}

function javascript(): Program {
  return [process.execPath, '--disable-warning=ExperimentalWarning', join(SOURCES, 'javascript/clients.ts')]
}

/** Makes the folder unless it was made from the same list of packages. */
function unlessMade(folder: string, list: string, make: () => void): void {
  const stamp = join(folder, '.made-from')
  const wanted = readFileSync(list, 'utf8')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return
  mkdirSync(folder, { recursive: true })
  make()
  writeFileSync(stamp, wanted)
}

function call(command: string, args: readonly string[], cwd: string): void {
  execFileSync('nice', [command, ...args], { cwd, stdio: ['ignore', 'ignore', 'pipe'], timeout: BUILD_LIMIT_MS })
}

export type Run = {
  readonly program: Program
  readonly checks: readonly string[]
  readonly environment: Record<string, string>
  /** Kills the API server and starts it again: a program asks for it with the line RESTART. */
  readonly restart?: () => Promise<void>
}

/** Standard output of the program; rejects with all that it said when a check fails. */
export async function runChecks({ program: [command, ...args], checks, environment, restart }: Run): Promise<string> {
  const child = spawn(command, [...args, ...checks], {
    env: { ...process.env, ...environment },
    timeout: RUN_LIMIT_MS,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  let [said, complained] = ['', '']
  child.stderr.on('data', (chunk: Buffer) => (complained += chunk.toString()))
  const ended = once(child, 'close')
  for await (const line of createInterface(child.stdout)) {
    said += `${line}\n`
    if (line !== 'RESTART') continue
    await restart?.()
    child.stdin.write('restarted\n')
  }
  const [code] = await ended
  if (code !== 0) throw new Error(`${command} ${checks.join(' ')} ended with ${code}\n${said}${complained}`)
  return said
}
