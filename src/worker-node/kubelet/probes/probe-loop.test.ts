/** When a probe's result turns. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '#base/virtual-clock.ts'
import type { Probe } from '#api/core/v1.gen.ts'
import { ProbeLoop, type ProbeType } from './probe-loop.ts'

type Case = {
  readonly type?: ProbeType
  readonly probe: Probe
  /** Answers in order; the last one repeats. */
  readonly answers: string
  readonly seconds: number
  /** `seconds:result` of each turn. */
  readonly turns: string[]
  readonly runs: number
}

const CASES: Readonly<Record<string, Case>> = {
  'three failures in a row': { probe: { periodSeconds: 1 }, answers: '-', seconds: 5, turns: ['2:failure'], runs: 6 },
  'a success between failures counts from the start': {
    probe: { periodSeconds: 1 },
    answers: '--+---',
    seconds: 9,
    turns: ['2:success', '5:failure'],
    runs: 10,
  },
  'a success threshold': {
    probe: { periodSeconds: 1, successThreshold: 2 },
    answers: '+-++',
    seconds: 5,
    turns: ['3:success'],
    runs: 6,
  },
  'an initial delay': {
    probe: { periodSeconds: 1, initialDelaySeconds: 3 },
    answers: '+',
    seconds: 4,
    turns: ['3:success'],
    runs: 2,
  },
  'startup ends with its first result': {
    type: 'Startup',
    probe: { periodSeconds: 1, failureThreshold: 5 },
    answers: '--+',
    seconds: 10,
    turns: ['2:success'],
    runs: 3,
  },
  'liveness ends with its failure': {
    type: 'Liveness',
    probe: { periodSeconds: 2, failureThreshold: 2 },
    answers: '+--',
    seconds: 20,
    turns: ['0:success', '4:failure'],
    runs: 3,
  },
}

for (const [name, { type = 'Readiness', probe, answers, seconds, turns, runs }] of Object.entries(CASES))
  test(`probe: ${name}`, async () => {
    const clock = new VirtualClock()
    const beganMs = clock.now()
    const seen: string[] = []
    let count = 0
    const loop = new ProbeLoop({
      type,
      probe,
      clock,
      startedAtMs: beganMs,
      known: undefined,
      mayRun: () => true,
      run: () => {
        const answer = answers[Math.min(count++, answers.length - 1)]
        return Promise.resolve({ outcome: answer === '+' ? 'success' : 'failure', output: '' })
      },
      onReport: () => {},
      onTurn: (outcome) => void seen.push(`${(clock.now() - beganMs) / 1000}:${outcome}`),
    })
    loop.start()
    await clock.advance(seconds * 1000)
    loop.stop()
    assert.deepEqual([seen, count], [turns, runs])
  })
