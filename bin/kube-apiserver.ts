/** The API server alone, with upstream's flags: `kube-apiserver --data-dir FOLDER --tls-cert-file … --client-ca-file …`. */
import { runComponent } from '#cluster/component-process.ts'
import { runKubeApiserver } from '#cluster/kube-apiserver-command.ts'

await runComponent('kube-apiserver', (signal) => runKubeApiserver(process.argv.slice(2), signal))
