/** Fills the defaults of containers: pull policy, termination message, ports, probes. */
import type { HTTPGetAction, Probe } from '#api/core/v1.gen.ts'
import type { AnyContainer } from './containers-of.ts'
import { defaultPullPolicy } from './pull-policy.ts'
import { roundRequirements } from './resource-defaults.ts'
import { setFieldSelectorDefaults } from './volume-defaults.ts'

export function setContainerDefaults(container: AnyContainer): void {
  container.imagePullPolicy ||= defaultPullPolicy(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  for (const port of container.ports ?? []) port.protocol ||= 'TCP'
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.fieldRef) setFieldSelectorDefaults(valueFrom.fieldRef)
    if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false
  }
  roundRequirements(container.resources)
  setProbeDefaults(container.livenessProbe)
  setProbeDefaults(container.readinessProbe)
  setProbeDefaults(container.startupProbe)
  setHttpGetDefaults(container.lifecycle?.postStart?.httpGet)
  setHttpGetDefaults(container.lifecycle?.preStop?.httpGet)
}

function setProbeDefaults(probe: Probe | undefined): void {
  if (probe === undefined) return
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  setHttpGetDefaults(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
}

function setHttpGetDefaults(action: HTTPGetAction | undefined): void {
  if (action === undefined) return
  action.path ||= '/'
  action.scheme ||= 'HTTP'
}
