/** The memory store passes the suite of all stores. */
import { VirtualClock } from '#base/virtual-clock.ts'
import { storeSuite } from '../testing/suite.ts'
import { createMemoryStore } from './memory-store.ts'

const clock = new VirtualClock()
storeSuite({
  name: 'memory',
  open: async () => createMemoryStore({ clock }),
  advance: (ms) => clock.advance(ms),
})
