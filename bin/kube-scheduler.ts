/** The scheduler alone, against any API server: `kube-scheduler --kubeconfig FILE`. */
import { parseArgs } from 'node:util'
import { ApiEventRecorder } from '#client/api-event-recorder.ts'
import { connectComponent } from '#cluster/component-process.ts'
import { untilSignal } from '#base/until-signal.ts'
import { DEFAULT_SCHEDULER_NAME, Scheduler } from '#control-plane/scheduler/scheduler.ts'

const { values } = parseArgs({
  options: { kubeconfig: { type: 'string' }, 'scheduler-name': { type: 'string', default: DEFAULT_SCHEDULER_NAME } },
})
const signal = untilSignal()
const component = await connectComponent('kube-scheduler', values.kubeconfig)
const schedulerName = values['scheduler-name']
const events = new ApiEventRecorder({ ...component, component: schedulerName, host: '' })
const running = new Scheduler({ ...component, events, schedulerName }).run(signal)
component.informers.start(signal)
await running
process.exit(0)
