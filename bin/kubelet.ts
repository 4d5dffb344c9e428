/** The kubelet process: `kubelet --kubeconfig … --node-ip …`. */
import { createLogger } from '#base/pino-log.ts'
import { untilSignal } from '#base/until-signal.ts'
import { explainStartError, runKubelet } from '#worker-node/kubelet/command.ts'
import { parseKubeletFlags } from '#worker-node/kubelet/command-flags.ts'

const flags = parseKubeletFlags(process.argv)
try {
  await runKubelet(flags, createLogger('kubelet'), untilSignal())
  process.exit(0)
} catch (error) {
  const line = explainStartError(error)
  if (line === null) throw error
  process.stderr.write(`kubelet: ${line}\n`)
  process.exit(1)
}
