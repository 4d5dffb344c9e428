/** A past template of a DaemonSet or StatefulSet. */
import type { ControllerRevision } from '#api/apps/v1.gen.ts'
import { defineKind } from '#api/define-kind.ts'
import { formatAge } from '#api/table-cells.ts'
import { controllerRevisionStrategy } from './strategy.ts'

export const controllerRevisionKind = defineKind<ControllerRevision>('apps/v1/controllerrevisions', {
  strategy: controllerRevisionStrategy,
  row: (revision, nowMs) => [
    revision.metadata.name,
    controllerCell(revision),
    revision.revision ?? 0,
    formatAge(revision.metadata.creationTimestamp, nowMs),
  ],
})

/** `daemonset.apps/name` of the controller that owns the revision. */
function controllerCell({ metadata }: ControllerRevision): string {
  const owner = metadata.ownerReferences?.find((reference) => reference.controller === true)
  if (owner === undefined) return '<none>'
  const group = owner.apiVersion.includes('/') ? owner.apiVersion.split('/')[0]! : ''
  const kind = group === '' ? owner.kind : `${owner.kind}.${group}`
  return `${kind.toLowerCase()}/${owner.name}`
}
