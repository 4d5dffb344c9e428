/** `kubets api`: the API server with its store alone, in the foreground, as any user. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Option, type Command } from 'commander'
import { SystemClock } from '#base/clock.ts'
import { createLogger, type LogLevel } from '#base/pino-log.ts'
import { SystemRandom } from '#base/random.ts'
import { FEATURE_GATES_HELP, readFeatureGates } from '#cluster/feature-gates-flag.ts'
import { RUNTIME_CONFIG_HELP, readRuntimeConfig } from '#cluster/runtime-config-flag.ts'
import { startStandaloneApiServer, type StandaloneOptions } from '#cluster/standalone-api-server.ts'
import { untilAborted, untilSignal } from '#base/until-signal.ts'
import { collect, parsePort } from './up.ts'

type Options = {
  port: number
  dataDir?: string
  kubeconfig?: string
  runtimeConfig?: string[]
  featureGates?: string[]
  logLevel: LogLevel
}

export function register(program: Command): void {
  program
    .command('api')
    .description('run only the API server with its store, in the foreground; needs no root and no containers')
    .option('--port <port>', 'port on 127.0.0.1; 0 takes a free one', parsePort, 6443)
    .option('--data-dir <folder>', 'where objects and keys are kept (a new folder that is removed at the end)')
    .option('--kubeconfig <file>', 'written when the server answers (admin.kubeconfig in the data folder)')
    .option('--runtime-config <pairs>', RUNTIME_CONFIG_HELP, collect)
    .option('--feature-gates <pairs>', FEATURE_GATES_HELP, collect)
    .addOption(
      new Option('--log-level <level>', 'what is logged').choices(['debug', 'info', 'warn', 'error']).default('warn'),
    )
    .action(serve)
}

async function serve(options: Options): Promise<void> {
  const signal = untilSignal()
  const dataDir =
    options.dataDir === undefined ? await mkdtemp(join(tmpdir(), 'kubets-api-')) : resolve(options.dataDir)
  try {
    const kubeconfig = options.kubeconfig ?? join(dataDir, 'admin.kubeconfig')
    const log = createLogger('kube-apiserver', options.logLevel)
    const features = readFeatureGates(options.featureGates ?? [], log)
    const standalone = {
      port: options.port,
      dataDir,
      kubeconfig,
      features,
      kinds: readRuntimeConfig(options.runtimeConfig ?? [], features),
      clock: new SystemClock(),
      random: new SystemRandom(),
      log,
    }
    await serveUntil(signal, standalone)
  } finally {
    if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
  }
  process.exit(0)
}

/** An end that is asked for before the server is ready is an orderly one too. */
async function serveUntil(signal: AbortSignal, options: StandaloneOptions): Promise<void> {
  try {
    const server = await startStandaloneApiServer(options, signal)
    process.stdout.write(`API server at ${server.url}\nexport KUBECONFIG=${options.kubeconfig}\n`)
    await untilAborted(signal)
    await server.close()
  } catch (error) {
    if (error !== signal.reason) throw error
  }
}
