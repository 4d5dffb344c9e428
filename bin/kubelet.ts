/** The kubelet process: `kubelet --kubeconfig … --node-ip …`. */
import { createLogger } from '#base/pino-log.ts'
import { kubeletCommand, startKubelet } from '#worker-node/kubelet/command.ts'

const command = kubeletCommand().parse()
const keepAlive = setInterval(() => {}, 2 ** 30)
const kubelet = await startKubelet(command.opts(), createLogger('kubelet'))
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => {
    clearInterval(keepAlive)
    void kubelet.stop().then(() => process.exit(0))
  })
