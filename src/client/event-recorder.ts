/** Writes Kubernetes Events about objects, so that `kubectl describe` tells what happened. */

export type ObjectReference = {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string
  readonly name: string
  readonly uid: string
  readonly resourceVersion?: string
  readonly fieldPath?: string
}

export interface EventRecorder {
  /**
   * Queues an event and returns at once; equal events are counted up (upstream's correlation), a flood is dropped by a token
   * bucket per source and object. Never throws: an event is worth less than the work it tells of.
   */
  event(about: ObjectReference, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** Many sources of events in one process: each counts up and throttles its own, all are written through one queue. */
export interface EventBroadcaster {
  /** `component` is what the events name as `source.component` and `reportingComponent`. */
  recorderOf(component: string): EventRecorder
}
