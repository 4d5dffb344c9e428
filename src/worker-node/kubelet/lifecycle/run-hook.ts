/** Runs a postStart or preStop hook of a container. */
import type { Clock } from '#base/clock.ts'
import type { Container, LifecycleHandler } from '#api/core/v1.gen.ts'
import { httpCheck, portNumber, probeUrl } from '../probes/http-check.ts'
import { tcpCheck } from '../probes/tcp-check.ts'
import type { RuntimeService } from '../runtime/runtime-service.ts'
import type { Semaphore } from '../semaphore.ts'

export type HookTarget = {
  readonly containerId: string
  readonly container: Container
  readonly podIp: string
  /** For messages: `web-1_default(uid)`. */
  readonly podName: string
  readonly execs: Semaphore
}

export type HookOptions = { readonly runtime: RuntimeService; readonly clock: Clock; readonly userAgent: string }

/** Upstream's: hooks have no timeout of their own beyond the caller's. */
const EXEC_WITHOUT_TIMEOUT = 0

/** Throws with upstream's message when the hook fails; `signal` ends it. */
export async function runHook(
  handler: LifecycleHandler,
  target: HookTarget,
  options: HookOptions,
  signal: AbortSignal,
): Promise<void> {
  const about = `for Container "${target.container.name}" in Pod "${target.podName}" failed - error:`
  try {
    if (handler.exec) await runExec(handler.exec.command ?? [], target, options, signal)
    else if (handler.httpGet) await runHttp(handler.httpGet, target, options, signal)
    else if (handler.tcpSocket) {
      const { host, port } = handler.tcpSocket
      await tcpCheck(host || target.podIp, portNumber(port, target.container), signal)
    } else if (handler.sleep) await options.clock.sleep(handler.sleep.seconds * 1000, signal)
  } catch (error) {
    signal.throwIfAborted()
    const what = handler.exec
      ? `Exec lifecycle hook ([${(handler.exec.command ?? []).join(' ')}])`
      : handler.httpGet
        ? `HTTP lifecycle hook (${handler.httpGet.path ?? ''})`
        : 'TCP lifecycle hook'
    throw new Error(`${what} ${about} ${(error as Error).message}`, { cause: error })
  }
}

async function runExec(
  command: readonly string[],
  { containerId, execs }: HookTarget,
  { runtime }: HookOptions,
  signal: AbortSignal,
): Promise<void> {
  const run = (): ReturnType<RuntimeService['execSync']> =>
    runtime.execSync(containerId, command, EXEC_WITHOUT_TIMEOUT, signal)
  const { stdout, stderr, exitCode } = await execs.run(signal, run)
  if (exitCode === 0) return
  const output = Buffer.concat([stdout, stderr]).toString()
  throw new Error(
    `command '${command.join(' ')}' exited with ${exitCode}: ${output}, message: ${JSON.stringify(output)}`,
  )
}

async function runHttp(
  action: NonNullable<LifecycleHandler['httpGet']>,
  { container, podIp }: HookTarget,
  { userAgent }: HookOptions,
  signal: AbortSignal,
): Promise<void> {
  const url = probeUrl(action, container, podIp)
  const { statusCode } = await httpCheck(url, action.httpHeaders ?? [], { userAgent, signal })
  if (statusCode >= 400) throw new Error(`HTTP lifecycle hook failed with statuscode: ${statusCode}`)
}
