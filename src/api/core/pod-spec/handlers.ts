/** Checks what a probe or a lifecycle hook does: run a command, ask over HTTP, TCP or gRPC, or sleep. */
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  SleepAction,
  TCPSocketAction,
} from '#api/core/v1.gen.ts'
import { checkEnum, checkPort, checkPresent, checkText } from '#api/validation.ts'
import { type FieldError, forbiddenField, invalidValue, notSupported, required } from '#machinery/field-error.ts'
import { isHttpHeaderName, isValidPortName } from '#machinery/validation/names.ts'
import { LINUX_STOP_SIGNALS, WINDOWS_STOP_SIGNALS } from './stop-signals.ts'

export type Handler = {
  readonly exec?: ExecAction
  readonly httpGet?: HTTPGetAction
  readonly tcpSocket?: TCPSocketAction
  readonly grpc?: GRPCAction
  readonly sleep?: SleepAction
}

export type HandlerPlace = {
  readonly path: string
  /** spec.terminationGracePeriodSeconds of the pod. */
  readonly gracePeriod: number | undefined
}

const ACTIONS = ['exec', 'httpGet', 'tcpSocket', 'grpc', 'sleep'] as const

export function validateHandler(errors: FieldError[], handler: Handler, { path, gracePeriod }: HandlerPlace): void {
  let found = false
  for (const action of ACTIONS) {
    if (handler[action] === undefined) continue
    const place = `${path}.${action}`
    if (found) errors.push(forbiddenField(place, 'may not specify more than 1 handler type'))
    else validateAction(errors, { [action]: handler[action] }, { path: place, gracePeriod })
    found = true
  }
  if (!found) errors.push(required(path, 'must specify a handler type'))
}

/** `handler` holds one action; `path` is the path of that action. */
function validateAction(errors: FieldError[], handler: Handler, { path, gracePeriod }: HandlerPlace): void {
  const { exec, httpGet, tcpSocket, grpc, sleep } = handler
  if (exec !== undefined && (exec.command ?? []).length === 0) errors.push(required(`${path}.command`))
  if (httpGet !== undefined) validateHttpGet(errors, httpGet, path)
  if (tcpSocket !== undefined) checkPortOrName(errors, `${path}.port`, tcpSocket.port)
  if (grpc !== undefined) {
    checkPort(errors, `${path}.port`, grpc.port ?? 0)
    checkEnum(errors, `${path}.mode`, grpc.mode, ['Plaintext', 'TLS'])
  }
  if (sleep === undefined || gracePeriod === undefined) return
  const seconds = sleep.seconds ?? 0
  if (seconds >= 0 && seconds <= gracePeriod) return
  const text = `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`
  errors.push(invalidValue(path, seconds, text))
}

function validateHttpGet(errors: FieldError[], action: HTTPGetAction, path: string): void {
  const { scheme = '', protocol, host = '' } = action
  checkPresent(errors, `${path}.path`, action.path)
  checkPortOrName(errors, `${path}.port`, action.port)
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.push(notSupported(`${path}.scheme`, scheme, ['HTTP', 'HTTPS']))
  for (const { name = '' } of action.httpHeaders ?? []) checkText(errors, `${path}.httpHeaders`, name, isHttpHeaderName)
  checkEnum(errors, `${path}.protocol`, protocol, ['HTTP1', 'HTTP2'])
  if (protocol !== 'HTTP2') return
  if (scheme !== 'HTTP') errors.push(invalidValue(`${path}.protocol`, protocol, 'is only supported with HTTP (H2C)'))
  else if (host !== '') errors.push(invalidValue(`${path}.host`, host, 'must be empty when `protocol` is "HTTP2"'))
}

export function checkPortOrName(errors: FieldError[], path: string, port: number | string | undefined): void {
  if (typeof port === 'string') checkText(errors, path, port, isValidPortName)
  else checkPort(errors, path, port ?? 0)
}

export function validateLifecycle(
  errors: FieldError[],
  lifecycle: Lifecycle,
  { path, gracePeriod, os }: HandlerPlace & { readonly os: string | undefined },
): void {
  const { postStart, preStop, stopSignal } = lifecycle
  if (postStart) validateHandler(errors, postStart, { path: `${path}.postStart`, gracePeriod })
  if (preStop) validateHandler(errors, preStop, { path: `${path}.preStop`, gracePeriod })
  if (stopSignal === undefined) return
  const place = `${path}.stopSignal`
  if (os === undefined) errors.push(forbiddenField(place, 'may not be set for containers with empty `spec.os.name`'))
  else if (os === 'windows') checkEnum(errors, place, stopSignal, WINDOWS_STOP_SIGNALS)
  else if (os === 'linux') checkEnum(errors, place, stopSignal, LINUX_STOP_SIGNALS)
}
