/** The network between this machine and its nodes: one bridge per cluster, one network namespace and veth pair per node. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { hostAddress, nodeAddress, nodeName, type ClusterState } from './cluster-state.ts'
import { CommandError, runCommand } from '#base/run-command.ts'

const FORWARD_FILE = '/proc/sys/net/ipv4/ip_forward'

/** Interface names are at most 15 bytes, so they carry the subnet's number instead of the cluster's name. */
export const bridgeName = (state: ClusterState): string => `kubets${state.subnet}`
const vethName = (state: ClusterState, number: number): string => `kts${state.subnet}n${number}`
export const namespaceName = (state: ClusterState, node: string): string => `kubets-${state.name}-${node}`
const tableName = (state: ClusterState): string => `kubets${state.subnet}`

/** Creates what is missing; running it again changes nothing. */
export async function createHostNetwork(state: ClusterState): Promise<void> {
  const bridge = bridgeName(state)
  if (!(await linkExists(bridge))) await ip('link', 'add', bridge, 'type', 'bridge')
  await runCommand(
    'ip',
    ['-batch', '-'],
    `addr replace ${hostAddress(state)}/24 dev ${bridge}\nlink set ${bridge} up\n`,
  )
  if ((await readFile(FORWARD_FILE, 'utf8')).trim() === '0') await writeFile(FORWARD_FILE, '1')
  await runCommand('nft', ['-f', '-'], masqueradeRules(state))
}

/** Traffic that leaves the node network for the outside carries this machine's address. */
export function masqueradeRules(state: ClusterState): string {
  const table = tableName(state)
  const nodes = `172.31.${state.subnet}.0/24`
  return `table ip ${table}
delete table ip ${table}
table ip ${table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${nodes} ip daddr != { ${nodes}, ${state.podCidr} } oifname != "${bridgeName(state)}" masquerade
  }
}
`
}

/** A network namespace with the node's address and a default route to this machine. Not for a node that runs. */
export async function createNodeNetwork(state: ClusterState, number: number): Promise<string> {
  const namespace = namespaceName(state, nodeName(number))
  if (namespaceExists(namespace)) {
    // The route is made last: without it an `up` was killed in the middle, and what it began is made anew.
    if ((await ip('-n', namespace, 'route', 'show', 'default').catch(() => '')) !== '') return namespace
    await ip('netns', 'delete', namespace)
  }
  const veth = vethName(state, number)
  await unlessAbsent(ip('link', 'delete', veth))
  await ip('netns', 'add', namespace)
  await ip('link', 'add', veth, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace)
  await ip('link', 'set', veth, 'master', bridgeName(state), 'up')
  const batch = `link set lo up
addr add ${nodeAddress(state, number)}/24 dev eth0
link set eth0 up
route add default via ${hostAddress(state)}
`
  await runCommand('ip', ['-n', namespace, '-batch', '-'], batch)
  return namespace
}

/** A route from this machine to a node's pods, for the API server's proxy and for the curious. */
export async function routeToPods(podCidr: string, nodeIp: string): Promise<void> {
  await ip('route', 'replace', podCidr, 'via', nodeIp)
}

export async function removeNodeNetwork(state: ClusterState, node: string): Promise<void> {
  const namespace = namespaceName(state, node)
  if (namespaceExists(namespace)) await unlessAbsent(ip('netns', 'delete', namespace))
}

/** Removes bridge and rules. Routes go with the bridge. `restoreForwarding` when no cluster of ours is left. */
export async function removeHostNetwork(state: ClusterState, restoreForwarding: boolean): Promise<void> {
  for (const link of await clusterLinks(state)) await unlessAbsent(ip('link', 'delete', link))
  await unlessAbsent(runCommand('nft', ['delete', 'table', 'ip', tableName(state)]))
  if (restoreForwarding) await writeFile(FORWARD_FILE, '0')
}

export async function isForwarding(): Promise<boolean> {
  return (await readFile(FORWARD_FILE, 'utf8')).trim() === '1'
}

async function clusterLinks(state: ClusterState): Promise<string[]> {
  const links = JSON.parse((await runCommand('ip', ['-json', 'link'])) || '[]') as { ifname: string }[]
  const veths = links.map((link) => link.ifname).filter((name) => name.startsWith(`kts${state.subnet}n`))
  return links.some((link) => link.ifname === bridgeName(state)) ? [...veths, bridgeName(state)] : veths
}

/** Third octets of 172.31.X.0/24 that any interface or route of this machine already uses. */
export async function usedSubnets(): Promise<Set<number>> {
  const text = `${await runCommand('ip', ['-4', 'addr'])}\n${await runCommand('ip', ['-4', 'route', 'show', 'table', 'all'])}`
  return new Set([...text.matchAll(/\b172\.31\.(\d+)\./g)].map((match) => Number(match[1])))
}

const namespaceExists = (name: string): boolean => existsSync(`/run/netns/${name}`)

async function linkExists(name: string): Promise<boolean> {
  return readFile(`/sys/class/net/${name}/ifindex`).then(
    () => true,
    () => false,
  )
}

const ip = (...args: string[]): Promise<string> => runCommand('ip', args)

async function unlessAbsent(command: Promise<string>): Promise<void> {
  try {
    await command
  } catch (error) {
    if (!(error instanceof CommandError) || !/No such|Cannot find/.test(error.message)) throw error
  }
}
