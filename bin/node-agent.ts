/** The process of one node: `node-agent --config FILE`. */
import { parseArgs } from 'node:util'
import { runNodeAgent } from '#cluster/nodes/node-agent.ts'
import { untilSignal } from '#base/until-signal.ts'

const { values } = parseArgs({ options: { config: { type: 'string' } } })
if (values.config === undefined) throw new Error('usage: node-agent --config FILE')
await runNodeAgent(values.config, untilSignal())
process.exit(0)
