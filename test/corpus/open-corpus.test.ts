/** Every recorded request of a real kube-apiserver gets the same answer from ours, but for the differences that are named. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import { ApiServerProcess, freePort } from '../tools/api-server-process.ts'
import { kubernetesClients } from '../tools/kubernetes-clients.ts'
import { KNOWN_DIFFERENCES, type Difference } from './known-differences.ts'

const CORPUS = new URL('../../../shared/kubernetes/corpus/', import.meta.url).pathname
const DOCUMENT = new URL('../../docs/compatibility.md', import.meta.url)
const AREAS = ['a', 'b', 'c', 'd', 'e', 'f', 'kubectl']
const skip = existsSync(CORPUS) ? false : 'the recordings of a real API server are missing: ../shared/kubernetes/corpus'

const run = promisify(execFile)

type Report = {
  readonly totals: Readonly<Record<string, { readonly requests: number; readonly equal: number }>>
  readonly differences: readonly {
    readonly name: string
    readonly request: string
    readonly class: 'text' | 'differ'
    readonly diff: readonly (readonly [path: string, expected: unknown, got: unknown, ...rest: unknown[]])[]
  }[]
}

/** Causes come as a list of texts. */
function asText(value: unknown): string {
  if (typeof value === 'string') return value
  const isTexts = Array.isArray(value) && value.every((item) => typeof item === 'string')
  return isTexts ? value.join('\n') : (JSON.stringify(value) ?? '<absent>')
}

function differencesOf(report: Report): Difference[] {
  return report.differences.flatMap(({ name, request, class: kind, diff }) =>
    diff.map(([path, expected, got]) => ({
      scenario: name,
      request,
      class: kind,
      path,
      expected: asText(expected),
      got: asText(got),
    })),
  )
}

describe('the recorded requests', { skip }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'kubets-corpus-'))
  let server: ApiServerProcess
  before(async () => {
    server = new ApiServerProcess(folder, await freePort())
    await server.start()
  })
  after(async () => {
    await server.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  })

  for (const area of AREAS)
    test(`area ${area}: what differs is named in docs/compatibility.md`, async (context) => {
      const report = await replay(area)
      assert.ok(report.totals[area]!.requests > 0, 'nothing was replayed')
      context.diagnostic(`${report.totals[area]!.equal} of ${report.totals[area]!.requests} requests are equal`)
      const unknown = differencesOf(report).filter((found) => !isKnown(found))
      assert.deepEqual(unknown.slice(0, 10), [], `${unknown.length} values differ without a reason`)
    })

  test('no known difference has gone without leaving the list', () => {
    const unseen = KNOWN_DIFFERENCES.filter(({ heading, isChance }) => isChance !== true && !seen.has(heading))
    assert.deepEqual(unseen, [])
  })

  const seen = new Set<string>()
  function isKnown(found: Difference): boolean {
    const known = KNOWN_DIFFERENCES.find(({ covers }) => covers(found))
    if (known !== undefined) seen.add(known.heading)
    return known !== undefined
  }

  /** Exit code 1 says that something differs: the report tells what. */
  async function replay(area: string): Promise<Report> {
    const output = join(folder, `${area}.json`)
    const kubectl = area === 'kubectl' ? ['--kubectl', kubernetesClients().kubectl] : []
    const args = ['--kubeconfig', server.kubeconfig, '--json', output, ...kubectl, `open/${area}.jsonl.gz`]
    await run(join(CORPUS, 'replay'), args, { cwd: CORPUS, maxBuffer: 2 ** 28 }).catch((error: { code?: unknown }) => {
      if (error.code !== 1) throw error
    })
    return JSON.parse(readFileSync(output, 'utf8')) as Report
  }
})

test('each known difference has its reason in docs/compatibility.md', () => {
  const headings = new Set([...readFileSync(DOCUMENT, 'utf8').matchAll(/^### (.+)$/gm)].map((match) => match[1]))
  for (const { heading } of KNOWN_DIFFERENCES) assert.ok(headings.has(heading), `no reason is given: ${heading}`)
})
