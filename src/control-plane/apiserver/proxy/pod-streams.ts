/** Logs, exec, attach and port-forward of pods: finds the kubelet and hands the request on to it. */
import type { Node, Pod } from '#api/core/v1.gen.ts'
import { NODES, PODS } from '#api/resources.gen.ts'
import type { Client } from '#client/client.ts'
import { badRequest, StatusError } from '#machinery/status-error.ts'
import { isTrue } from '../request-info.ts'
import type { ApiRequest, ApiResponse } from '../request.ts'
import { BackendUnreachableError, sendToBackend, tunnel } from './backend.ts'
import { upgradeHeaders } from './forward-headers.ts'
import { kubeletEndpoint, type Endpoint, type KubeletClientCredentials } from './kubelet-endpoint.ts'
import { validateLogOptions } from './log-options.ts'
import { chooseContainer } from './pod-container.ts'

export type PodStreamsOptions = {
  /** Reads pods and nodes. */
  readonly client: Client
  readonly kubeletClient: KubeletClientCredentials
}

const LOG_PARAMETERS = ['sinceSeconds', 'sinceTime', 'tailLines', 'limitBytes']
const LOG_FLAGS = ['follow', 'previous', 'timestamps']
const STREAM_FLAGS: Readonly<Record<string, string>> = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' }

export class PodStreams {
  readonly #options: PodStreamsOptions
  constructor(options: PodStreamsOptions) {
    this.#options = options
  }

  handle(request: ApiRequest): Promise<ApiResponse> {
    return request.info.subresource === 'log' ? this.#log(request) : this.#stream(request)
  }

  async #log(request: ApiRequest): Promise<ApiResponse> {
    const { query } = request
    validateLogOptions(query, request.info.name)
    const pod = await this.#pod(request)
    const container = chooseContainer(pod, query.get('container') ?? '')
    if (!pod.spec?.nodeName) return NOTHING_YET
    const endpoint = await this.#kubeletOf(pod.spec.nodeName, isTrue(query.get('insecureSkipTLSVerifyBackend')))
    const path = `/containerLogs/${pod.metadata.namespace}/${pod.metadata.name}/${container}`
    const answer = await sendToBackend({
      endpoint,
      method: 'GET',
      target: `${path}?${logParameters(query)}`,
      headers: {},
      body: null,
      signal: request.signal,
    }).catch((error: unknown) => {
      throw error instanceof BackendUnreachableError
        ? new StatusError({ code: 500, reason: '', message: error.message })
        : error
    })
    if ((answer.statusCode ?? 500) >= 400) throw await refusalOf(answer, pod)
    return plainText(answer)
  }

  async #stream(request: ApiRequest): Promise<ApiResponse> {
    const { info, query, method, connection } = request
    const pod = await this.#pod(request)
    const isPortForward = info.subresource === 'portforward'
    const container = isPortForward ? '' : chooseContainer(pod, query.get('container') ?? '')
    if (!pod.spec?.nodeName) throw badRequest(`pod ${pod.metadata.name} does not have a host assigned`)
    const endpoint = await this.#kubeletOf(pod.spec.nodeName, false)
    if (connection?.upgrade !== true) throw badRequest('Upgrade request required')
    const place = `${pod.metadata.namespace}/${pod.metadata.name}`
    const target = isPortForward
      ? withQuery(`/portForward/${place}`, portParameters(query))
      : withQuery(`/${info.subresource}/${place}/${container}`, streamParameters(query))
    const upgrade = { endpoint, method, target, headers: upgradeHeaders(connection.rawHeaders) }
    return { code: 101, body: { form: 'upgrade', accept: (raw) => void tunnel(raw, upgrade) } }
  }

  #pod({ info, signal }: ApiRequest): Promise<Pod> {
    return this.#options.client.get(PODS, info.namespace, info.name, signal)
  }

  async #kubeletOf(nodeName: string, isInsecure: boolean): Promise<Endpoint> {
    const node: Node = await this.#options.client.get(NODES, '', nodeName)
    const endpoint = kubeletEndpoint(node, this.#options.kubeletClient)
    // Without verification our own certificate must not be shown either.
    return isInsecure ? { ...endpoint, tls: 'insecure' } : endpoint
  }
}

const withQuery = (path: string, query: URLSearchParams): string => (query.size === 0 ? path : `${path}?${query}`)

function logParameters(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const name of LOG_FLAGS) if (isTrue(query.get(name))) parameters.set(name, 'true')
  for (const name of LOG_PARAMETERS) if (query.get(name)) parameters.set(name, query.get(name)!)
  parameters.set('stream', query.get('stream') || 'All')
  return parameters
}

function streamParameters(query: URLSearchParams): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const [name, ofKubelet] of Object.entries(STREAM_FLAGS))
    if (isTrue(query.get(name))) parameters.set(ofKubelet, '1')
  for (const word of query.getAll('command')) parameters.append('command', word)
  return parameters
}

function portParameters(query: URLSearchParams): URLSearchParams {
  const ports = query.getAll('ports')
  return ports.length === 0 ? new URLSearchParams() : new URLSearchParams({ port: ports.join(',') })
}

/** A pod that runs nowhere yet has no logs. */
const NOTHING_YET: ApiResponse = { code: 204, body: { form: 'raw', contentType: '', content: '' } }

const plainText = (content: AsyncIterable<Uint8Array>): ApiResponse => ({
  code: 200,
  body: { form: 'raw', contentType: 'text/plain', content },
})

/** A refusal of the kubelet becomes ours: its text says what is wrong. */
async function refusalOf(
  answer: AsyncIterable<Uint8Array> & { statusCode?: number | undefined },
  pod: Pod,
): Promise<StatusError> {
  const chunks: Uint8Array[] = []
  for await (const chunk of answer) chunks.push(chunk)
  const text = Buffer.concat(chunks).toString().trim()
  const code = answer.statusCode ?? 500
  if (code === 400) return badRequest(text)
  const details = {
    name: pod.metadata.name,
    kind: 'pods/log',
    causes: [{ reason: 'UnexpectedServerResponse', message: text }],
  }
  if (code === 404)
    return new StatusError({
      code,
      reason: 'NotFound',
      message: `the server could not find the requested resource ( pods/log ${pod.metadata.name})`,
      details,
    })
  return new StatusError({
    code,
    reason: 'InternalError',
    message: `an error on the server (${JSON.stringify(text || 'unknown')}) has prevented the request from succeeding ( pods/log ${pod.metadata.name})`,
    details,
  })
}
