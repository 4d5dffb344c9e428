/** Looks for anything that a cluster could leave on the machine after `down`. */
import { execFileSync } from 'node:child_process'
import { globSync, readFileSync, readdirSync } from 'node:fs'

/** One line for each process, mount, network namespace, interface, nftables table or control group that belongs to the cluster. */
export async function leftovers(name: string): Promise<string[]> {
  return [...processes(name), ...mounts(name), ...namespaces(name), ...groups(name), ...interfaces(), ...tables()]
}

function processes(name: string): string[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .filter((pid) => readOrEmpty(`/proc/${pid}/cgroup`).includes(`/kubets/${name}/`))
    .map((pid) => `process ${pid}: ${readOrEmpty(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')}`)
}

function mounts(name: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .filter((line) => line.includes(`/kubets/data/${name}/`) || line.includes(`kubets-${name}-`))
    .map((line) => `mount ${line}`)
}

function namespaces(name: string): string[] {
  return globSync(`/run/netns/kubets-${name}-*`).map((path) => `network namespace ${path}`)
}

function groups(name: string): string[] {
  return globSync([`/sys/fs/cgroup/kubets/${name}`, `/sys/fs/cgroup/*/kubets/${name}`]).map(
    (path) => `control group ${path}`,
  )
}

function interfaces(): string[] {
  const others = subnetsOfOthers()
  return readdirSync('/sys/class/net')
    .filter((link) => !others.has(/^(?:kubets|kts)(\d+)(?:n\d+)?$/.exec(link)?.[1] ?? ''))
    .filter((link) => /^(kubets\d+|kts\d+n\d+)$/.test(link))
    .map((link) => `interface ${link}`)
}

function tables(): string[] {
  const others = subnetsOfOthers()
  return execFileSync('nft', ['list', 'tables'], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /kubets/.test(line) && !others.has(/kubets(\d+)/.exec(line)?.[1] ?? ''))
    .map((line) => `nftables ${line}`)
}

/** Node networks of the clusters that still exist on this machine. */
function subnetsOfOthers(): ReadonlySet<string> {
  const states = globSync('/var/lib/kubets/clusters/*.json').map((path) => JSON.parse(readOrEmpty(path) || '{}'))
  return new Set(states.map(({ subnet }: { subnet?: number }) => String(subnet)))
}

/** Empty when the process ended meanwhile. */
function readOrEmpty(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
