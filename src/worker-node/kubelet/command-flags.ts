/** The flags of the kubelet process, with upstream's names; what cannot be read is refused with a line that names the flag. */
import { isIP } from 'node:net'
import os from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import type { Taint } from '#api/core/v1.gen.ts'

export type KubeletFlags = {
  readonly kubeconfig: string
  readonly hostnameOverride: string
  readonly nodeIp: string
  readonly rootDir: string
  readonly podLogsDir: string
  readonly containerRuntimeEndpoint: string
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  readonly resolvConf: string
  readonly podManifestPath?: string
  readonly nodeLabels: Readonly<Record<string, string>>
  readonly registerWithTaints: readonly Taint[]
  readonly providerId?: string
  readonly maxPods: number
  readonly address: string
  readonly port: number
  readonly tlsCertFile?: string
  readonly tlsPrivateKeyFile?: string
  readonly clientCaFile?: string
}

export function parseKubeletFlags(argv: readonly string[]): KubeletFlags {
  const command = kubeletCommand().parse([...argv])
  const flags = command.opts<KubeletFlags>()
  for (const [given, missing] of [
    ['tlsCertFile', 'tlsPrivateKeyFile'],
    ['tlsPrivateKeyFile', 'tlsCertFile'],
  ] as const)
    if (flags[given] !== undefined && flags[missing] === undefined)
      command.error(`error: option '--${kebab(given)}' needs '--${kebab(missing)}'`)
  return flags
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)

function kubeletCommand(): Command {
  return new Command('kubelet')
    .description('Runs the pods of one node.')
    .allowExcessArguments(false)
    .requiredOption('--kubeconfig <file>', 'how to reach the API server')
    .option('--hostname-override <name>', 'name of the node', (name) => name.toLowerCase(), os.hostname().toLowerCase())
    .requiredOption('--node-ip <address>', 'address of the node', parseAddress)
    .option('--root-dir <folder>', 'pod volumes and other data', '/var/lib/kubelet')
    .option('--pod-logs-dir <folder>', 'logs of containers', '/var/log/pods')
    .option('--container-runtime-endpoint <socket>', 'CRI socket', 'unix:///run/containerd/containerd.sock')
    .option('--cluster-dns <addresses>', 'addresses of the cluster DNS, separated by commas', parseAddresses, [])
    .option('--cluster-domain <domain>', 'domain of services and pods', 'cluster.local')
    .option('--resolv-conf <file>', 'for pods with dnsPolicy Default', '/etc/resolv.conf')
    .option('--pod-manifest-path <folder>', 'manifests of static pods')
    .option('--node-labels <labels>', 'key=value, separated by commas', parseLabels, {})
    .option('--register-with-taints <taints>', 'key=value:effect, separated by commas', parseTaints, [])
    .option('--provider-id <id>', 'name of the machine at its cloud')
    .option('--max-pods <number>', 'most pods of this node', parseNumberUpTo(2 ** 31 - 1), 110)
    .option('--address <address>', 'where the HTTPS server listens', parseAddress, '0.0.0.0')
    .option('--port <number>', 'port of the HTTPS server', parseNumberUpTo(65_535), 10_250)
    .option('--tls-cert-file <file>', 'certificate of the HTTPS server; without it there is no server')
    .option('--tls-private-key-file <file>', 'key of the HTTPS server')
    .option('--client-ca-file <file>', 'authority of client certificates')
}

function parseAddress(text: string): string {
  if (isIP(text) === 0) throw new InvalidArgumentError('It is no IP address.')
  return text
}

const splitList = (text: string): string[] => text.split(',').filter((part) => part !== '')

const parseAddresses = (text: string): string[] => splitList(text).map(parseAddress)

function parseNumberUpTo(limit: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || number > limit) throw new InvalidArgumentError(`It is no whole number up to ${limit}.`)
    return number
  }
}

function parseLabels(text: string): Record<string, string> {
  return Object.fromEntries(splitList(text).map((pair) => splitOnce(pair, '=')))
}

function splitOnce(text: string, separator: string): [string, string] {
  const index = text.indexOf(separator)
  return index < 0 ? [text, ''] : [text.slice(0, index), text.slice(index + 1)]
}

const TAINT = /^([^=:]+)(?:=([^=:]*))?:(NoSchedule|PreferNoSchedule|NoExecute)$/

/** `key=value:effect` or `key:effect`. */
function parseTaints(text: string): Taint[] {
  return splitList(text).map((part) => {
    const [, key, value, effect] = TAINT.exec(part) ?? []
    if (key === undefined || effect === undefined)
      throw new InvalidArgumentError(`A taint is key=value:effect, unlike "${part}".`)
    return { key, effect, ...(value && { value }) }
  })
}
