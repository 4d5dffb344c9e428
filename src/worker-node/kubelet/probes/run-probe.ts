/** Runs one probe once. */
import type { Clock } from '#base/clock.ts'
import type { Container, Probe } from '#api/core/v1.gen.ts'
import { DeadlineError, withDeadline } from '../deadline.ts'
import { GRPC_DEADLINE_EXCEEDED, isGrpcCode } from '../runtime/grpc-client.ts'
import type { RuntimeService } from '../runtime/runtime-service.ts'
import type { Semaphore } from '../semaphore.ts'
import { grpcCheck } from './grpc-check.ts'
import { httpCheck, portNumber, probeUrl } from './http-check.ts'
import { tcpCheck } from './tcp-check.ts'

export type ProbeReport = { readonly outcome: 'success' | 'warning' | 'failure'; readonly output: string }

export type ProbeTarget = {
  readonly containerId: string
  readonly container: Container
  readonly podIp: string
  /** Execs of one pod share a limit. */
  readonly execs: Semaphore
}

export type ProbeRunnerOptions = {
  readonly runtime: RuntimeService
  readonly clock: Clock
  /** Like `kube-probe/1.37`. */
  readonly userAgent: string
}

const SUCCESS: ProbeReport = { outcome: 'success', output: '' }
const OUTPUT_CHARS_MAX = 10 * 1024

const failure = (output: string): ProbeReport => ({ outcome: 'failure', output })

/** Throws only when `signal` aborts; everything else is a report. */
export async function runProbe(
  probe: Probe,
  target: ProbeTarget,
  options: ProbeRunnerOptions,
  signal: AbortSignal,
): Promise<ProbeReport> {
  const timeoutSeconds = probe.timeoutSeconds ?? 1
  const limits = { ms: timeoutSeconds * 1000, signal, message: `probe timed out after ${timeoutSeconds}s` }
  const within = <T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> => withDeadline(options.clock, limits, work)
  try {
    if (probe.exec)
      return await execProbe(probe.exec.command ?? [], target, { ...options, timeoutSeconds, within, signal })
    if (probe.httpGet) return await httpProbe(probe.httpGet, target, options, within)
    if (probe.tcpSocket) {
      const { host, port } = probe.tcpSocket
      await within((inner) => tcpCheck(host || target.podIp, portNumber(port, target.container), inner))
      return SUCCESS
    }
    if (probe.grpc) return await grpcProbe(probe.grpc, target, { ...options, timeoutSeconds, within })
    return failure('missing probe handler')
  } catch (error) {
    signal.throwIfAborted()
    return failure((error as Error).message)
  }
}

type Within = <T>(work: (signal: AbortSignal) => Promise<T>) => Promise<T>

/** The runtime's own timeout does not count while a child of the command keeps its output open: ours does. */
async function execProbe(
  command: readonly string[],
  { containerId, execs }: ProbeTarget,
  options: ProbeRunnerOptions & {
    readonly timeoutSeconds: number
    readonly within: Within
    readonly signal: AbortSignal
  },
): Promise<ProbeReport> {
  const { runtime, timeoutSeconds, within, signal } = options
  const timedOut = failure(`command timed out: "${command.join(' ')}" timed out after ${timeoutSeconds}s`)
  try {
    const run = (): ReturnType<RuntimeService['execSync']> =>
      within((inner) => runtime.execSync(containerId, command, timeoutSeconds, inner))
    const { stdout, stderr, exitCode } = await execs.run(signal, run)
    const output = Buffer.concat([stdout, stderr]).toString().slice(0, OUTPUT_CHARS_MAX)
    return { outcome: exitCode === 0 ? 'success' : 'failure', output }
  } catch (error) {
    signal.throwIfAborted()
    if (error instanceof DeadlineError || isGrpcCode(error, GRPC_DEADLINE_EXCEEDED)) return timedOut
    throw error
  }
}

async function httpProbe(
  action: NonNullable<Probe['httpGet']>,
  { container, podIp }: ProbeTarget,
  { userAgent }: ProbeRunnerOptions,
  within: Within,
): Promise<ProbeReport> {
  const url = probeUrl(action, container, podIp)
  try {
    const headers = action.httpHeaders ?? []
    const answer = await within((signal) => httpCheck(url, headers, { userAgent, signal }))
    if (answer.leavesHost)
      return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` }
    if (answer.statusCode >= 200 && answer.statusCode < 400) return SUCCESS
    return failure(`HTTP probe failed with statuscode: ${answer.statusCode}`)
  } catch (error) {
    return failure(`Get "${url.href}": ${(error as Error).message}`)
  }
}

const GRPC_UNIMPLEMENTED = 12

async function grpcProbe(
  action: NonNullable<Probe['grpc']>,
  { podIp }: ProbeTarget,
  options: ProbeRunnerOptions & { readonly timeoutSeconds: number; readonly within: Within },
): Promise<ProbeReport> {
  const { userAgent, timeoutSeconds, within } = options
  const target = { host: podIp, port: action.port, service: action.service ?? '' }
  const address = `${target.host}:${target.port}`
  try {
    const health = await within((signal) => grpcCheck(target, { userAgent, signal }))
    if (health.answer === 'status')
      return health.serving ? SUCCESS : failure(`service unhealthy (responded with "${health.status}")`)
    if (health.code === GRPC_UNIMPLEMENTED)
      return failure(
        `error: this server does not implement the grpc health protocol (grpc.health.v1.Health): ${health.message}`,
      )
    return failure(`error: health rpc probe failed: ${health.message}`)
  } catch (error) {
    const what = (error as Error).message
    if (error instanceof DeadlineError)
      return failure(`timeout: failed to connect service "${address}" within ${timeoutSeconds}s: ${what}`)
    return failure(`error: failed to connect service at "${address}": ${what}`)
  }
}
