/** What becomes of events on their way to the API server: their source, and how equal ones of two sources stay apart. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { Event } from '#api/core/v1.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { SeededRandom } from '#base/random.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import { ApiEventRecorder } from './api-event-recorder.ts'
import { RestClient } from './rest-client.ts'
import type { TransportRequest } from './transport.ts'

const POD = { apiVersion: 'v1', kind: 'Pod', namespace: 'n', name: 'p', uid: 'u' }

function harness(): { recorder: ApiEventRecorder; sent: () => Promise<string[]> } {
  const requests: TransportRequest[] = []
  const transport = {
    request: async (request: TransportRequest) => void requests.push(request),
    watch: () => assert.fail('no watch'),
    close: async () => {},
  }
  const recorder = new ApiEventRecorder({
    client: new RestClient(transport),
    clock: new VirtualClock(0),
    random: new SeededRandom(1),
    log: NO_LOG,
    component: 'main',
    host: 'h',
  })
  const sent = async (): Promise<string[]> => {
    await recorder.flush()
    return requests.splice(0).map(({ method, body }) => {
      const { source, reportingComponent, reportingInstance, count } = body as Event
      const names = [source?.component, source?.host, reportingComponent, reportingInstance]
      return [method, ...names, count].filter((part) => part !== undefined).join(' ')
    })
  }
  return { recorder, sent }
}

test('an event names its source, and each source counts up its own', async () => {
  const { recorder, sent } = harness()
  const other = recorder.recorderOf('other')
  for (const from of [recorder, other, other]) from.event(POD, 'Normal', 'Seen', 'seen')
  assert.deepEqual(await sent(), ['POST main h main h 1', 'POST other h other h 1', 'PATCH 2'])
})

test('what one source says too much leaves the share of the others as it is', async () => {
  const { recorder, sent } = harness()
  const loud = recorder.recorderOf('loud')
  for (let index = 0; index < 100; index++) loud.event(POD, 'Normal', 'Seen', 'seen')
  assert.equal((await sent()).length, 25)
  recorder.recorderOf('quiet').event(POD, 'Normal', 'Seen', 'seen')
  loud.event(POD, 'Warning', 'Failed', 'failed')
  assert.deepEqual(await sent(), ['POST quiet h quiet h 1', 'POST loud h loud h 1'])
})
