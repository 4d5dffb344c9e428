/** The kubelet process: `kubelet --kubeconfig … --node-ip …`. */
import { createLogger } from '#base/pino-log.ts'
import { runComponent } from '#cluster/component-process.ts'
import { runKubelet } from '#worker-node/kubelet/command.ts'
import { parseKubeletFlags } from '#worker-node/kubelet/command-flags.ts'

const flags = parseKubeletFlags(process.argv)
await runComponent('kubelet', (signal) => runKubelet(flags, createLogger('kubelet'), signal))
