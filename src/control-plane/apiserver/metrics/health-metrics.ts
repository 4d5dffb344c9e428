/** Results of the health checks, for /metrics/slis. */
import { Counter, Gauge, Registry } from 'prom-client'

export class HealthMetrics {
  readonly registry = new Registry()
  readonly #last = new Gauge({
    name: 'kubernetes_healthcheck',
    help: 'This metric records the result of a single healthcheck.',
    labelNames: ['type', 'name'],
    registers: [this.registry],
  })
  readonly #total = new Counter({
    name: 'kubernetes_healthchecks_total',
    help: 'This metric records the results of all healthcheck.',
    labelNames: ['type', 'name', 'status'],
    registers: [this.registry],
  })

  observe(name: string, type: string, isWell: boolean): void {
    this.#last.set({ type, name }, isWell ? 1 : 0)
    this.#total.inc({ type, name, status: isWell ? 'success' : 'error' })
  }
}
