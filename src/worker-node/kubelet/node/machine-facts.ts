/** What this machine is: capacity, versions and identities, read once at start. */
import { createHash } from 'node:crypto'
import { readFile, statfs } from 'node:fs/promises'
import os from 'node:os'

export type MachineFacts = {
  readonly cpus: number
  readonly memoryBytes: number
  readonly storageBytes: number
  readonly kernelVersion: string
  readonly osImage: string
  readonly architecture: string
  readonly machineId: string
  readonly systemUuid: string
  readonly bootId: string
}

/** Go's names of architectures. */
const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** `rootDir` is where the kubelet keeps pod data: its filesystem is the node's ephemeral storage. */
export async function readMachineFacts(rootDir: string, nodeName: string): Promise<MachineFacts> {
  const storage = await statfs(rootDir)
  const release = await readOr('/etc/os-release', '')
  const machineId = (await readOr('/etc/machine-id', '')).trim()
  const bootId = (await readOr('/proc/sys/kernel/random/boot_id', '')).trim()
  return {
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    storageBytes: storage.blocks * storage.bsize,
    kernelVersion: os.release(),
    osImage: /^PRETTY_NAME="?([^"\n]*)/m.exec(release)?.[1] ?? os.type(),
    architecture: ARCHITECTURES[process.arch] ?? process.arch,
    machineId,
    // Several nodes on one machine are told apart by their name.
    systemUuid: uuidOf(`${machineId}/${nodeName}`),
    bootId,
  }
}

async function readOr(path: string, fallback: string): Promise<string> {
  return await readFile(path, 'utf8').catch(() => fallback)
}

function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
