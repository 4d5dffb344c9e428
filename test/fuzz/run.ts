/**
 * Starts `kubets api` and sends it random requests from one seed: `npm run fuzz -- [--requests N] [--seed N] [--from N] [--clients N]`.
 * Ends with 1 when the server failed, stalled, grew, or holds what it never acknowledged.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { formatApiVersion } from '#api/kind.ts'
import { KINDS } from '#api/kinds.ts'
import { freePort } from '../tools/api-server-process.ts'
import { Acknowledged } from './acknowledged.ts'
import { problemOf } from './answer-check.ts'
import { FuzzClient, UnanswerableError, type FuzzAnswer } from './client.ts'
import { curlOf, minimize } from './failure.ts'
import { FuzzedServer } from './fuzzed-server.ts'
import type { Body } from './objects.ts'
import { makeRequest, NAMESPACES, type FuzzRequest } from './request.ts'

/** About 50 s on two cores. */
const REQUESTS = 8000
const STALL_MS_MAX = 100
/** What is stored stays small, as there are few names: all the rest is the server's own. */
const MEMORY_BYTES_MAX = 900 * 1024 * 1024
const PROBLEMS_SHOWN_MAX = 20

const { values } = parseArgs({
  options: {
    requests: { type: 'string', default: String(REQUESTS) },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    from: { type: 'string', default: '0' },
    clients: { type: 'string', default: '6' },
  },
})
const seed = Number(values.seed)
const first = Number(values.from)
const end = first + Number(values.requests)
const problems: string[] = []
const codes = new Map<number, number>()
let memoryBytes = 0

console.log(`fuzz: seed ${seed}, requests ${first} to ${end - 1}`)
const folder = await mkdtemp(join(tmpdir(), 'kubets-fuzz-'))
const server = new FuzzedServer(folder, await freePort())
try {
  await server.start()
  const client = await FuzzClient.of(server.kubeconfig)
  for (const name of NAMESPACES)
    await write(client, '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  for (const namespace of NAMESPACES)
    await write(client, `/api/v1/namespaces/${namespace}/serviceaccounts`, {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { name: 'default' },
    })
  const model = new Acknowledged()
  model.begin(await listAll(client))
  const startedAtMs = Date.now()
  let next = first
  const work = async (): Promise<void> => {
    while (next < end && problems.length < PROBLEMS_SHOWN_MAX && !server.hasEnded)
      await send(client, model, makeRequest(seed, next++))
  }
  await Promise.all(Array.from({ length: Number(values.clients) }, work))
  if (server.hasEnded) problems.push(`the server ended; the last requests were before number ${next}`)
  else {
    const stalls = server.stalls(startedAtMs).filter((ms) => ms > STALL_MS_MAX)
    if (stalls.length > 0) problems.push(`the event loop stood still for ${stalls.join(', ')} ms`)
    problems.push(...model.problems(await listAll(client)))
    client.close()
    await server.stop()
    await server.start()
    const again = await FuzzClient.of(server.kubeconfig)
    problems.push(...model.problems(await listAll(again)).map((text) => `after a restart: ${text}`))
    again.close()
  }
  if (memoryBytes > MEMORY_BYTES_MAX) problems.push(`the server's memory grew to ${memoryBytes} bytes`)
  report(model, startedAtMs, next)
} finally {
  await server.stop()
  await rm(folder, { recursive: true, force: true })
}

async function send(client: FuzzClient, model: Acknowledged, request: FuzzRequest): Promise<void> {
  let answer: FuzzAnswer | null
  try {
    answer = await client.ask(request)
  } catch (error) {
    if (!(error instanceof UnanswerableError)) throw error
    problems.push(`request ${request.index}: ${error.message}\n  ${curlOf(request)}`)
    return
  }
  model.note(request, answer)
  codes.set(answer?.code ?? 0, (codes.get(answer?.code ?? 0) ?? 0) + 1)
  if (request.index % 200 === 0 && !server.hasEnded) memoryBytes = Math.max(memoryBytes, server.memoryBytes())
  const problem = answer === null ? null : problemOf(request, answer)
  const errors = server.takeErrors()
  if (problem === null && errors.length === 0) return
  const smallest = problem === null ? request : await minimize(client, request)
  model.note(smallest, null)
  problems.push(
    `request ${request.index}: ${[problem, ...errors].filter((text) => text !== null).join('\n  ')}\n  ${curlOf(smallest)}`,
  )
}

async function write(client: FuzzClient, path: string, object: Body): Promise<void> {
  const headers = { 'content-type': 'application/json', accept: 'application/json' }
  await client.ask({
    index: -1,
    method: 'POST',
    path,
    headers,
    body: Buffer.from(JSON.stringify(object)),
    protocol: 'h2',
    isWatch: false,
  })
}

/** All objects of all kinds; lists leave out what their items are. */
async function listAll(client: FuzzClient): Promise<Body[]> {
  const found: Body[] = []
  for (const kind of KINDS.filter(({ stored, verbs }) => stored && verbs.includes('list'))) {
    const apiVersion = formatApiVersion(kind)
    const path = `/${kind.group === '' ? 'api' : 'apis'}/${apiVersion}/${kind.resource}`
    const answer = await client.ask({
      index: -1,
      method: 'GET',
      path,
      headers: { accept: 'application/json' },
      body: null,
      protocol: 'h1',
      isWatch: false,
    })
    if (answer?.code !== 200) throw new Error(`cannot list ${path}: ${answer?.code} ${answer?.body.toString()}`)
    const { items } = JSON.parse(answer.body.toString()) as { items: Body[] }
    found.push(...items.map((item) => ({ kind: kind.kind, apiVersion, ...item })))
  }
  return found
}

function report(model: Acknowledged, startedAtMs: number, sent: number): void {
  const seconds = ((Date.now() - startedAtMs) / 1000).toFixed(0)
  const counts = [...codes]
    .toSorted(([a], [b]) => a - b)
    .map(([code, count]) => `${code === 0 ? 'no answer' : code} ${count}`)
  console.log(
    `fuzz: ${sent - first} requests in ${seconds} s, ${model.size} objects, memory at most ${(memoryBytes / 1024 / 1024).toFixed(0)} MiB; ${counts.join(', ')}`,
  )
  for (const problem of problems.slice(0, PROBLEMS_SHOWN_MAX)) console.log(`\n${problem}`)
  if (problems.length > 0) {
    console.log(
      `\nfuzz: ${problems.length} problems; again: npm run fuzz -- --seed ${seed} --from ${first} --requests ${sent - first}`,
    )
    process.exitCode = 1
  }
}
