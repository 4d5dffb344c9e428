/** The status of a FlowSchema follows the level that it names: missing, there, gone again. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FlowSchema, PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'
import { NO_LOG } from '#base/log.ts'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Client } from '#client/client.ts'
import type { Follower, ObjectFeeds } from '../authorization/object-feeds.ts'
import { danglingCondition, followFlowSchemas } from './dangling-flow-schemas.ts'

const schemaOf = (level: string, conditions: object[] = []): FlowSchema =>
  ({
    metadata: { name: 's' },
    spec: { priorityLevelConfiguration: { name: level } },
    status: { conditions },
  }) as unknown as FlowSchema

test('a condition that is told already is not told again', () => {
  const missing = danglingCondition(schemaOf('l'), false)
  assert.partialDeepStrictEqual(missing, { type: 'Dangling', status: 'True', reason: 'NotFound' })
  assert.equal(danglingCondition(schemaOf('l', [missing!]), false), null)
  const found = danglingCondition(schemaOf('l', [missing!]), true)
  assert.deepEqual(found, {
    type: 'Dangling',
    status: 'False',
    reason: 'Found',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "l" and it exists',
  })
})

test('nothing is told before everything is known; then each change of a level is', async () => {
  const followers: Follower<never>[] = []
  const known = Promise.withResolvers<void>()
  const feeds = {
    follow: (_resource: unknown, follower: Follower<never>) => followers.push(follower),
    synced: () => known.promise,
  } as unknown as ObjectFeeds
  const told: unknown[] = []
  const client = {
    patch: async (...[, , name, type, body, options]: unknown[]) => {
      const { status } = body as { status: { conditions: { status: string; lastTransitionTime: string }[] } }
      const [condition] = status.conditions
      told.push([name, type, condition!.status, condition!.lastTransitionTime, options])
    },
  } as unknown as Client
  followFlowSchemas(feeds, { client, clock: new VirtualClock(0), log: NO_LOG })
  const [levels, schemas] = followers as unknown as [Follower<PriorityLevelConfiguration>, Follower<FlowSchema>]
  const level = { metadata: { name: 'l' } } as PriorityLevelConfiguration
  schemas.set(schemaOf('l'))
  assert.deepEqual(told, [])
  levels.set(level)
  known.resolve()
  await known.promise
  levels.drop(level)
  levels.set({ metadata: { name: 'other' } } as PriorityLevelConfiguration)
  schemas.drop({ metadata: { name: 's' } })
  levels.set(level)
  const options = { fieldManager: 'api-priority-and-fairness-config-consumer-v1', force: true, subresource: 'status' }
  assert.deepEqual(told, [
    ['s', 'apply', 'False', '1970-01-01T00:00:00Z', options],
    ['s', 'apply', 'True', '1970-01-01T00:00:00Z', options],
  ])
})
