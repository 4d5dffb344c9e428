/** The runtime in memory passes the suite that real runtimes pass. */
import assert from 'node:assert/strict'
import { VirtualClock } from '#base/virtual-clock.ts'
import { FakeRuntime } from './fake-runtime.ts'
import { runRuntimeSuite } from './testing/suite.ts'

runRuntimeSuite({
  name: 'fake',
  open: () => {
    const clock = new VirtualClock()
    const runtime = new FakeRuntime({ clock, images: ['busybox:1'] })
    // Nothing in the suite waits for more than a stop signal, which the fake obeys at once.
    const stopContainer = runtime.stopContainer.bind(runtime)
    runtime.stopContainer = async (...args) => {
      const stopping = stopContainer(...args)
      await clock.advance(0)
      await stopping
    }
    return Promise.resolve(runtime)
  },
  image: 'busybox:1',
  logDirectory: '/none',
  async until(condition) {
    for (let turn = 0; turn < 100; turn++) {
      if (await condition()) return
      await new Promise((resolve) => setImmediate(resolve))
    }
    assert.fail('never happened')
  },
})
