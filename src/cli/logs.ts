/** `kubets logs BOX`: shows the log of one box of a cluster. */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import type { Command } from 'commander'
import { ClusterError, DEFAULT_NAME, paths } from '#cluster/cluster-state.ts'
import { NAME_FLAG, NAME_HELP, requireCluster } from './cluster-option.ts'

export function register(program: Command): void {
  program
    .command('logs')
    .description('show the log of a box: control-plane, node-1, node-1-containerd, …')
    .argument('<box>')
    .option(NAME_FLAG, NAME_HELP, DEFAULT_NAME)
    .option('-f, --follow', 'keep showing what is added', false)
    .option('--tail <lines>', 'only the last lines', '200')
    .action(showLog)
}

async function showLog(box: string, options: { name: string; follow: boolean; tail: string }): Promise<void> {
  const state = await requireCluster(options.name)
  if (!/^\d+$/.test(options.tail)) throw new ClusterError(`--tail ${options.tail}: not a number of lines`)
  const file = paths.log(state.dataDir, box)
  if (!/^[a-z0-9-]+$/.test(box) || !existsSync(file)) {
    const known = (await readdir(paths.logs(state.dataDir)).catch(() => [])).map((name) => name.replace(/\.log$/, ''))
    throw new ClusterError(`there is no log of "${box}". There are: ${known.toSorted().join(', ')}`)
  }
  const tail = spawn('tail', ['-n', options.tail, ...(options.follow ? ['-F'] : []), file], { stdio: 'inherit' })
  await new Promise<void>((resolve, reject) => {
    tail.once('error', reject)
    tail.once('close', () => resolve())
  })
}
