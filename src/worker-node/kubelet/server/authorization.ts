/** Whether a caller may use a path of the kubelet's API: the API server's authorizers decide, on the node's subresources. */
import type { Clock } from '#base/clock.ts'
import type { SubjectAccessReview } from '#api/authorization/v1.gen.ts'
import { SUBJECTACCESSREVIEWS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import type { Caller } from './authentication.ts'

const VERBS: Readonly<Record<string, string>> = {
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
}
/** Allowed and refused, as upstream's cache. */
const ALLOWED_MS = 300_000
const REFUSED_MS = 30_000
const CACHE_MAX = 1000

/** In order of trial: the finer subresource first, `proxy` covers all. */
export function subresourcesOf(path: string): string[] {
  const [first = ''] = path.split('/').filter((part) => part !== '')
  if (first === 'stats' || first === 'metrics') return [first]
  if (first === 'logs') return ['log']
  if (first === 'checkpoint') return ['checkpoint']
  if (first === 'healthz') return ['healthz', 'proxy']
  if (first === 'pods' || first === 'runningpods') return ['pods', 'proxy']
  if (first === 'configz') return ['configz', 'proxy']
  return ['proxy']
}

export class Authorization {
  readonly #client: Client
  readonly #clock: Clock
  readonly #nodeName: string
  readonly #answers = new Map<string, { readonly allowed: boolean; readonly untilMs: number }>()

  constructor(client: Client, clock: Clock, nodeName: string) {
    this.#client = client
    this.#clock = clock
    this.#nodeName = nodeName
  }

  async isAllowed(caller: Caller, method: string, path: string): Promise<boolean> {
    if (caller.groups.includes('system:masters')) return true
    for (const subresource of subresourcesOf(path))
      if (await this.#review(caller, VERBS[method] ?? 'get', subresource)) return true
    return false
  }

  async #review(caller: Caller, verb: string, subresource: string): Promise<boolean> {
    const key = JSON.stringify([caller.name, caller.groups, verb, subresource])
    const now = this.#clock.now()
    const known = this.#answers.get(key)
    if (known && now < known.untilMs) return known.allowed
    const body = {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SubjectAccessReview',
      spec: {
        user: caller.name,
        uid: caller.uid,
        groups: [...caller.groups],
        resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: this.#nodeName },
      },
    }
    const { status } = await this.#client.review<SubjectAccessReview>(SUBJECTACCESSREVIEWS, body)
    const allowed = status?.allowed === true
    if (this.#answers.size >= CACHE_MAX) this.#answers.clear()
    this.#answers.set(key, { allowed, untilMs: now + (allowed ? ALLOWED_MS : REFUSED_MS) })
    return allowed
  }
}
