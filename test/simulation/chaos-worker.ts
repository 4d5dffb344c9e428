/** Runs one seed in a thread of its own: without the test runner's tracking of every promise it takes half the time. */
import { parentPort, workerData } from 'node:worker_threads'
import { runChaos } from './chaos.ts'

// The rule means windows; a thread has no origin.
// oxlint-disable-next-line unicorn/require-post-message-target-origin
parentPort!.postMessage(await runChaos(workerData as number))
