/** The API server alone, with upstream's flags: `kube-apiserver --data-dir FOLDER --tls-cert-file … --client-ca-file …`. */
import { untilSignal } from '#base/until-signal.ts'
import { FlagError, runKubeApiserver } from '#cluster/kube-apiserver-command.ts'

try {
  await runKubeApiserver(process.argv.slice(2), untilSignal())
  process.exit(0)
} catch (error) {
  if (!(error instanceof FlagError)) throw error
  process.stderr.write(`kube-apiserver: ${error.message}\n`)
  process.exit(1)
}
