/** What must be well for the server to live and to be ready, by name, and the answers of /livez, /readyz and /healthz. */
import type { ApiRequest, ApiResponse } from '../request.ts'

/** Throws an Error that says what is wrong. */
export type Check = () => Promise<void> | void

export type HealthGroup = 'livez' | 'readyz' | 'healthz'

export class HealthChecks {
  readonly #checks: Record<HealthGroup, Map<string, Check>> = {
    livez: new Map(),
    readyz: new Map(),
    healthz: new Map(),
  }

  add(name: string, check: Check, groups: readonly HealthGroup[] = ['livez', 'readyz', 'healthz']): void {
    for (const group of groups) {
      if (this.#checks[group].has(name)) throw new Error(`health check ${name} exists twice`)
      this.#checks[group].set(name, check)
    }
  }

  /** A check that fails until the function it returns was called: for work at start. */
  addStartHook(name: string): () => void {
    let isDone = false
    this.add(`poststarthook/${name}`, () => {
      if (!isDone) throw new Error('not finished')
    })
    return () => (isDone = true)
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
    const unknown = [...excluded].filter((name) => !this.#checks[group].has(name))
    if (unknown.length > 0)
      lines.push(
        `warn: some health checks cannot be excluded: no matches for ${unknown.map((name) => JSON.stringify(name)).join(', ')}`,
      )
    if (!isWell) return text(500, [...lines, `${group} check failed`, ''].join('\n'))
    return text(200, request.query.has('verbose') ? [...lines, `${group} check passed`, ''].join('\n') : 'ok')
  }

  async #answerOne(group: HealthGroup, name: string): Promise<ApiResponse | null> {
    const check = this.#checks[group].get(name)
    if (check === undefined) return null
    const error = await failureOf(check)
    return error === null ? { ...text(200, 'ok'), headers: {} } : text(500, `internal server error: ${error}\n`)
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

export function text(code: number, content: string): ApiResponse {
  return {
    code,
    headers: { 'X-Content-Type-Options': 'nosniff' },
    body: { form: 'raw', contentType: 'text/plain; charset=utf-8', content },
  }
}
