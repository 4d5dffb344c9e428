/** The `kubets` command: one file per sub-command, listed here. */
import { Command } from 'commander'
import { VERSION } from '#control-plane/apiserver/version.ts'
import { tellFailure } from '#cluster/component-process.ts'
import * as api from './api.ts'
import * as down from './down.ts'
import * as image from './image.ts'
import * as kubeconfig from './kubeconfig.ts'
import * as logs from './logs.ts'
import * as status from './status.ts'
import * as up from './up.ts'

/** In the order in which `kubets help` shows them. */
const COMMANDS = [up, down, status, kubeconfig, logs, image, api]

export async function main(args: readonly string[]): Promise<void> {
  const program = new Command('kubets')
    .description('A complete Kubernetes cluster in TypeScript: control plane, nodes, network and DNS from one command.')
    .version(VERSION.gitVersion)
    .configureHelp({ sortSubcommands: false })
  for (const command of COMMANDS) command.register(program)
  try {
    await program.parseAsync([...args], { from: 'user' })
  } catch (error) {
    tellFailure('kubets', error)
  }
}
