/** Runs scenarios on two API servers at once, step by step, and collects what they answer differently. */
import { randomUUID } from 'node:crypto'
import { differencesOf } from './difference.ts'
import { Normalizer } from './normalize.ts'
import { idOf, makeScenario, namespaceOf, type Scenario } from './scenario.ts'
import type { Answer, Server } from './server.ts'
import type { Step } from './subject.ts'

export type Servers = { readonly theirs: Server; readonly ours: Server }

export type Difference = {
  readonly kind: string
  readonly what: string
  readonly line: string
  readonly scenario: number
  readonly step: Step
  readonly theirs: Answer
  readonly ours: Answer
}

export type CompareOptions = {
  readonly seed: number
  readonly from: number
  readonly scenarios: number
  readonly only?: RegExp
}

export async function compareServers(
  servers: Servers,
  { seed, from, scenarios, only }: CompareOptions,
): Promise<{ differences: Difference[]; requests: number }> {
  const run = randomUUID().slice(0, 4)
  await makeNamespace(servers, namespaceOf(run))
  const differences: Difference[] = []
  let requests = 0
  for (let index = from; index < from + scenarios; index++) {
    const scenario = makeScenario({ seed, index, run, ...(only === undefined ? {} : { only }) })
    requests += scenario.steps.length
    differences.push(...(await runScenario(servers, scenario)))
  }
  return { differences, requests }
}

async function makeNamespace(servers: Servers, name: string): Promise<void> {
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default' } }
  const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }
  for (const server of [servers.theirs, servers.ours]) {
    await server.ask({ method: 'POST', path: '/api/v1/namespaces', body: JSON.stringify(namespace) })
    const path = `/api/v1/namespaces/${name}/serviceaccounts`
    await server.ask({ method: 'POST', path, body: JSON.stringify(account) })
  }
}

async function runScenario(servers: Servers, { index, kind, steps }: Scenario): Promise<Difference[]> {
  const normalizers = { theirs: new Normalizer(), ours: new Normalizer() }
  const versions = { theirs: '', ours: '' }
  const found: Difference[] = []
  for (const step of steps) {
    const ask = async (side: 'theirs' | 'ours'): Promise<Answer> => {
      const text = step.body === undefined ? undefined : JSON.stringify(step.body).replaceAll('@RV@', versions[side])
      const { method, path, headers } = step
      const answer = await servers[side].ask({
        method,
        path,
        ...(headers === undefined ? {} : { headers }),
        ...(text === undefined ? {} : { body: text }),
      })
      versions[side] = versionOf(answer) ?? versions[side]
      return answer
    }
    const [theirs, ours] = await Promise.all([ask('theirs'), ask('ours')])
    for (const line of differencesOf(theirs, ours, normalizers))
      found.push({ kind: idOf(kind), what: step.what, line, scenario: index, step, theirs, ours })
    // After the first difference the two objects are different ones: what follows would tell it again.
    if (found.length > 0 && step.aside !== true) return [...found, ...(await tidy(servers, steps))]
  }
  return found
}

async function tidy(servers: Servers, steps: readonly Step[]): Promise<Difference[]> {
  for (const { method, path, body, headers } of steps.slice(-2)) {
    if (steps.length < 2) break
    const question = {
      method,
      path,
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }
    await Promise.all([servers.theirs.ask(question), servers.ours.ask(question)])
  }
  return []
}

function versionOf({ code, text }: Answer): string | undefined {
  if (code >= 300) return undefined
  return /"resourceVersion":\s*"(\d+)"/.exec(text)?.[1]
}
