/** Checks liveness, readiness and startup probes. */
import type { Container, Probe } from '#api/core/v1.gen.ts'
import { checkNonNegative } from '#api/validation.ts'
import { type FieldError, invalidValue } from '#machinery/field-error.ts'
import { type HandlerPlace, validateHandler } from './handlers.ts'

/** All probes of one container; `path` is that of the container. */
export function validateProbes(errors: FieldError[], container: Container, { path, gracePeriod }: HandlerPlace): void {
  const { livenessProbe, readinessProbe, startupProbe } = container
  if (livenessProbe) {
    validateProbe(errors, livenessProbe, { path: `${path}.livenessProbe`, gracePeriod })
    checkSuccessThreshold(errors, livenessProbe, `${path}.livenessProbe`)
  }
  if (readinessProbe) {
    const place = `${path}.readinessProbe`
    validateProbe(errors, readinessProbe, { path: place, gracePeriod })
    const seconds = readinessProbe.terminationGracePeriodSeconds
    if (seconds !== undefined)
      errors.push(
        invalidValue(`${place}.terminationGracePeriodSeconds`, seconds, 'must not be set for readinessProbes'),
      )
  }
  if (startupProbe) {
    validateProbe(errors, startupProbe, { path: `${path}.startupProbe`, gracePeriod })
    checkSuccessThreshold(errors, startupProbe, `${path}.startupProbe`)
  }
}

function checkSuccessThreshold(errors: FieldError[], { successThreshold = 0 }: Probe, path: string): void {
  if (successThreshold !== 1) errors.push(invalidValue(`${path}.successThreshold`, successThreshold, 'must be 1'))
}

function validateProbe(errors: FieldError[], probe: Probe, { path, gracePeriod }: HandlerPlace): void {
  validateHandler(errors, probe, { path, gracePeriod })
  checkNonNegative(errors, `${path}.initialDelaySeconds`, probe.initialDelaySeconds)
  checkNonNegative(errors, `${path}.timeoutSeconds`, probe.timeoutSeconds)
  checkNonNegative(errors, `${path}.periodSeconds`, probe.periodSeconds)
  checkNonNegative(errors, `${path}.successThreshold`, probe.successThreshold)
  checkNonNegative(errors, `${path}.failureThreshold`, probe.failureThreshold)
  const seconds = probe.terminationGracePeriodSeconds
  if (seconds !== undefined && seconds <= 0)
    errors.push(invalidValue(`${path}.terminationGracePeriodSeconds`, seconds, 'must be greater than 0'))
}
