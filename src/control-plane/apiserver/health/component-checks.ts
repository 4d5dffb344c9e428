/** Whether the other parts of the control plane are well: what `kubectl get componentstatuses` shows. */
import { sendToBackend } from '../proxy/backend.ts'

/** Rejects with an Error that says what is wrong. */
export type ComponentCheck = (signal: AbortSignal) => Promise<void>

/** Where upstream's components listen on the machine of their API server. */
const LOCAL_PORTS: Readonly<Record<string, number>> = { 'controller-manager': 10257, scheduler: 10259 }

/** For a port that accepts and stays silent. */
const PROBE_LIMIT_MS = 5000

/**
 * `known` are the checks of parts that run in this process; a part that it does not hold is asked on its port. In the order in
 * which they are listed.
 */
export function createComponentChecks(
  checkStore: ComponentCheck,
  known: Readonly<Record<string, ComponentCheck>> = {},
): ReadonlyMap<string, ComponentCheck> {
  return new Map([
    ...Object.entries(LOCAL_PORTS).map(([name, port]) => [name, known[name] ?? probe(port)] as const),
    ['etcd-0', checkStore],
  ])
}

function probe(port: number): ComponentCheck {
  return async (signal) => {
    const answer = await sendToBackend({
      endpoint: { scheme: 'https', host: '127.0.0.1', port, tls: 'insecure' },
      method: 'GET',
      target: '/healthz',
      headers: {},
      body: null,
      signal: AbortSignal.any([signal, AbortSignal.timeout(PROBE_LIMIT_MS)]),
    })
    const chunks: Uint8Array[] = []
    for await (const chunk of answer) chunks.push(chunk as Uint8Array)
    if (answer.statusCode !== 200) throw new Error(Buffer.concat(chunks).toString())
  }
}
