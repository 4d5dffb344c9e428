/** The process of a cluster's control plane: `control-plane --config FILE`. */
import { parseArgs } from 'node:util'
import { runControlPlane } from '#cluster/control-plane-process.ts'
import { untilSignal } from '#base/until-signal.ts'

const { values } = parseArgs({ options: { config: { type: 'string' } } })
if (values.config === undefined) throw new Error('usage: control-plane --config FILE')
await runControlPlane(values.config, untilSignal())
process.exit(0)
