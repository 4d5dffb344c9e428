/** The programs of the machine that real nodes need; what is missing is installed from the distribution's packages. */
import { existsSync } from 'node:fs'
import { ClusterError } from './cluster-state.ts'
import { runCommand } from '#base/run-command.ts'

export type NodeTools = { readonly containerd: string; readonly crun: string; readonly cniBinDir: string }

type Requirement = { readonly package: string; readonly found: () => boolean }

const PROGRAM_DIRS = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const CNI_DIRS = ['/usr/lib/cni', '/opt/cni/bin']

function findProgram(name: string): string | null {
  return PROGRAM_DIRS.map((dir) => `${dir}/${name}`).find((path) => existsSync(path)) ?? null
}

const findCniDir = (): string | null =>
  CNI_DIRS.find((dir) => existsSync(`${dir}/ptp`) && existsSync(`${dir}/host-local`)) ?? null

const REQUIREMENTS: readonly Requirement[] = [
  { package: 'containerd', found: () => findProgram('containerd') !== null },
  { package: 'crun', found: () => findProgram('crun') !== null },
  { package: 'containernetworking-plugins', found: () => findCniDir() !== null },
  { package: 'nftables', found: () => findProgram('nft') !== null },
  { package: 'iproute2', found: () => findProgram('ip') !== null },
  { package: 'util-linux', found: () => findProgram('nsenter') !== null && findProgram('unshare') !== null },
  { package: 'conntrack', found: () => findProgram('conntrack') !== null },
]

/** Packages that are missing, by their Debian names. */
export function missingPackages(): string[] {
  return REQUIREMENTS.filter((requirement) => !requirement.found()).map((requirement) => requirement.package)
}

/**
 * Installs what is missing and answers where things are. Services that a package would start are not wanted (a node has its own
 * containerd), so they are held back while it installs.
 */
export async function ensureNodeTools(options: {
  readonly install: boolean
  readonly say: (text: string) => void
}): Promise<NodeTools> {
  const missing = missingPackages()
  if (missing.length > 0) {
    if (!options.install)
      throw new ClusterError(
        `missing: ${missing.join(', ')}, and --no-install was given. Install them with: apt-get install ${missing.join(' ')}`,
      )
    if (findProgram('apt-get') === null)
      throw new ClusterError(
        `missing: ${missing.join(', ')}, and this machine has no apt-get. Install them, then start again.`,
      )
    options.say(`installing ${missing.join(', ')} (packages of this distribution)`)
    await runCommand('apt-get', ['update', '-qq'])
    await runCommand('env', [
      'DEBIAN_FRONTEND=noninteractive',
      'RUNLEVEL=1',
      'apt-get',
      'install',
      '-y',
      '-qq',
      '--no-install-recommends',
      ...missing,
    ])
    const still = missingPackages()
    if (still.length > 0) throw new ClusterError(`still missing after the installation: ${still.join(', ')}`)
  }
  return { containerd: findProgram('containerd')!, crun: findProgram('crun')!, cniBinDir: findCniDir()! }
}
