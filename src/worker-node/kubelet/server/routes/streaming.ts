/** /exec, /attach and /portForward: connections into containers, for SPDY clients handed through, for WebSocket clients bridged. */
import type { Pod } from '#api/core/v1.gen.ts'
import { newestReadySandbox } from '../../pods/pod-state.ts'
import { findContainer } from '../../pods/pod-facts.ts'
import type { StreamOptions } from '../../runtime/runtime-service.ts'
import { HttpError } from '../http-error.ts'
import { findPod, podAndContainer, runningContainer, type Call, type UpgradeHandler } from '../server-context.ts'
import { choosePortForwardProtocol, servePortForward } from '../streams/port-forward.ts'
import { chooseProtocol, serveRemoteCommand } from '../streams/remote-command.ts'
import { proxyUpgrade } from '../streams/upgrade.ts'
import { isWebSocketRequest, requestedProtocols } from '../streams/websocket-connection.ts'

export const serveExec: UpgradeHandler = async (context, call, connection) => {
  const { pod, name } = podAndContainer(context, call.parts)
  const container = await runningContainer(context, pod, name)
  if (!container) throw new HttpError(500, `container not found ("${name}")`)
  const command = call.url.searchParams.getAll('command')
  const options = streamOptions(call)
  await serveCommand(call, connection, options, () => context.runtime.exec(container.id, command, options))
}

export const serveAttach: UpgradeHandler = async (context, call, connection) => {
  const { pod, name } = podAndContainer(context, call.parts)
  const container = await runningContainer(context, pod, name)
  const spec = findContainer(pod, name)?.container
  if (!container || !spec) throw new HttpError(500, `container ${name} not found in pod ${fullName(pod)}`)
  // What the container was created with counts, not what the client wishes.
  const asked = streamOptions(call)
  const tty = spec.tty ?? false
  const options = { ...asked, tty, stdin: asked.stdin && (spec.stdin ?? false), stderr: asked.stderr && !tty }
  await serveCommand(call, connection, options, () => context.runtime.attach(container.id, options))
}

/** How upstream's kubelet names a pod in these answers. */
const fullName = ({ metadata }: Pod): string => `${metadata.name}_${metadata.namespace}`

async function serveCommand(
  { request }: Call,
  { socket, head }: Parameters<UpgradeHandler>[2],
  options: StreamOptions,
  open: () => Promise<string>,
): Promise<void> {
  if (!isWebSocketRequest(request)) return await proxyUpgrade(request, socket, head, await open())
  const offered = requestedProtocols(request)
  if (!chooseProtocol(offered)) throw new HttpError(403, `no supported subprotocol in: ${offered.join(', ')}`)
  await serveRemoteCommand({ request, socket, head, options, url: await open() })
}

function streamOptions({ url }: Call): StreamOptions {
  const isSet = (...names: string[]): boolean =>
    names.some((name) => ['1', 'true'].includes(url.searchParams.get(name) ?? ''))
  const tty = isSet('tty')
  const options = {
    stdin: isSet('input', 'stdin'),
    stdout: isSet('output', 'stdout'),
    // A terminal has one output.
    stderr: isSet('error', 'stderr') && !tty,
    tty,
  }
  if (!options.stdin && !options.stdout && !options.stderr)
    throw new HttpError(400, 'you must specify at least 1 of stdin, stdout, stderr')
  return options
}

export const servePortForwarding: UpgradeHandler = async (context, { parts, request, url }, { socket, head }) => {
  const pod = findPod(context, parts[0], parts[1], { uid: parts[2] })
  const sandbox = await newestReadySandbox(context.runtime, pod.metadata.uid)
  if (!sandbox) throw new HttpError(500, `pod not found ("${fullName(pod)}")`)
  if (!isWebSocketRequest(request))
    return await proxyUpgrade(request, socket, head, await context.runtime.portForward(sandbox.id))
  const offered = requestedProtocols(request)
  if (choosePortForwardProtocol(offered) === null)
    throw new HttpError(403, `no supported subprotocol in: ${offered.join(', ')}`)
  const ports = url.searchParams
    .getAll('port')
    .flatMap((text) => text.split(','))
    .map(Number)
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw new HttpError(400, 'query parameter "port" is not a port')
  await servePortForward({ request, socket, head, ports, url: await context.runtime.portForward(sandbox.id) })
}
