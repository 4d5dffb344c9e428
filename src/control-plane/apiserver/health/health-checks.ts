/** What must be well for the server to live and to be ready, by name, and the answers of /livez, /readyz and /healthz. */
import type { ApiRequest, ApiResponse } from '../request.ts'
import { compareChecks } from './check-order.ts'

/** Throws an Error that says what is wrong. */
export type Check = () => Promise<void> | void

export type HealthGroup = 'livez' | 'readyz' | 'healthz'

export type HealthOptions = {
  /** True while work at start may be unfinished without /livez failing (--livez-grace-period). */
  readonly isInGrace?: () => boolean
  /** Told the result of each check that a client asked for together with others. */
  readonly observe?: (name: string, group: HealthGroup, isWell: boolean) => void
}

const START_HOOK = 'poststarthook/'

export class HealthChecks {
  readonly #checks: Record<HealthGroup, Map<string, Check>> = {
    livez: new Map(),
    readyz: new Map(),
    healthz: new Map(),
  }
  readonly #options: HealthOptions

  constructor(options: HealthOptions = {}) {
    this.#options = options
  }

  add(name: string, check: Check, groups: readonly HealthGroup[] = ['livez', 'readyz', 'healthz']): void {
    for (const group of groups) {
      if (this.#checks[group].has(name)) throw new Error(`health check ${name} exists twice`)
      const added = group === 'livez' && name.startsWith(START_HOOK) ? this.#withGrace(check) : check
      const all = [...this.#checks[group], [name, added] as const]
      this.#checks[group] = new Map(all.toSorted(([a], [b]) => compareChecks(a, b)))
    }
  }

  /** A check that fails until the function it returns was called: for work at start. */
  addStartHook(name: string): () => void {
    let isDone = false
    this.add(`${START_HOOK}${name}`, () => {
      if (!isDone) throw new Error('not finished')
    })
    return () => (isDone = true)
  }

  #withGrace(check: Check): Check {
    return () => (this.#options.isInGrace?.() === true ? undefined : check())
  }

  paths(): string[] {
    return Object.entries(this.#checks).flatMap(([group, checks]) => [
      `/${group}`,
      ...[...checks.keys()].map((name) => `/${group}/${name}`),
    ])
  }

  async isReady(): Promise<boolean> {
    return (await this.#run('readyz', new Set())).every(({ error }) => error === null)
  }

  /** The answer to `/readyz`, `/readyz/NAME` and so on; null for a name that there is not. */
  async answer(group: HealthGroup, name: string, request: Pick<ApiRequest, 'query'>): Promise<ApiResponse | null> {
    if (name !== '') return this.#answerOne(group, name)
    const excluded = new Set(request.query.getAll('exclude'))
    const results = await this.#run(group, excluded)
    const isWell = results.every(({ error }) => error === null)
    const lines = results.map(({ name, error, excluded }) =>
      excluded ? `[+]${name} excluded: ok` : error === null ? `[+]${name} ok` : `[-]${name} failed: reason withheld`,
    )
    for (const { name, error, excluded } of results) if (!excluded) this.#options.observe?.(name, group, error === null)
    const unknown = [...excluded].filter((name) => !this.#checks[group].has(name)).toSorted()
    if (unknown.length > 0)
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(',')}`,
      )
    if (!isWell) return text(500, [...lines, `${group} check failed`, ''].join('\n'))
    return text(200, request.query.has('verbose') ? [...lines, `${group} check passed`, ''].join('\n') : 'ok')
  }

  async #answerOne(group: HealthGroup, name: string): Promise<ApiResponse | null> {
    const check = this.#checks[group].get(name)
    if (check === undefined) return null
    const error = await failureOf(check)
    return error === null ? PASSED : text(500, `internal server error: ${error}\n`)
  }

  async #run(
    group: HealthGroup,
    excluded: ReadonlySet<string>,
  ): Promise<{ name: string; error: string | null; excluded: boolean }[]> {
    return Promise.all(
      [...this.#checks[group]].map(async ([name, check]) =>
        excluded.has(name)
          ? { name, error: null, excluded: true }
          : { name, error: await failureOf(check), excluded: false },
      ),
    )
  }
}

async function failureOf(check: Check): Promise<string | null> {
  try {
    await check()
    return null
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** The answer of a single check, whose type upstream leaves to be guessed. */
const PASSED: ApiResponse = {
  code: 200,
  body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content: 'ok' },
}

export function text(code: number, content: string): ApiResponse {
  return {
    code,
    headers: { 'X-Content-Type-Options': 'nosniff' },
    body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content },
  }
}
