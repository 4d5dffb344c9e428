/** Times admission plugins and counts what Pod Security decides, under upstream's names. */
import type { Registry } from 'prom-client'
import type { AdmissionAttributes, AdmissionOperation } from '../admission/admission.ts'
import { formatVersion, isFuture, type LevelVersion, type Policy } from '../admission/pod-security/policy.ts'
import { CountFamily, DistributionFamily, type Count, type Distribution, type Labels } from './families.ts'

const BUCKETS = [0.005, 0.025, 0.1, 0.5, 1, 2.5]

export type AdmissionStep = 'admit' | 'validate'

export class AdmissionMetrics {
  readonly podSecurity: PodSecurityMetrics
  readonly #steps: DistributionFamily
  readonly #controllers: DistributionFamily

  constructor(registry: Registry) {
    const family = (name: string, what: string): DistributionFamily =>
      new DistributionFamily(registry, `apiserver_admission_${name}_admission_duration_seconds`, what, BUCKETS)
    this.#steps = family(
      'step',
      'Admission sub-step latency histogram in seconds, broken out for each operation and API resource and step type (validate or admit).',
    )
    this.#controllers = family(
      'controller',
      'Admission controller latency histogram in seconds, identified by name and broken out for each operation and API resource and type (validate or admit).',
    )
    this.podSecurity = new PodSecurityMetrics(registry)
  }

  /** Of all plugins together. */
  stepDurations(type: AdmissionStep): OperationDurations {
    return new OperationDurations(this.#steps, { type })
  }

  controllerDurations(name: string, type: AdmissionStep): OperationDurations {
    return new OperationDurations(this.#controllers, { name, type })
  }
}

/** The series of one plugin: found without making up a key for each request. */
export class OperationDurations {
  readonly #family: DistributionFamily
  readonly #labels: Labels
  readonly #admitted: Partial<Record<AdmissionOperation, Distribution>> = {}
  readonly #rejected: Partial<Record<AdmissionOperation, Distribution>> = {}

  constructor(family: DistributionFamily, labels: Labels) {
    this.#family = family
    this.#labels = labels
  }

  observe(operation: AdmissionOperation, rejected: boolean, ms: number): void {
    const known = rejected ? this.#rejected : this.#admitted
    known[operation] ??= this.#family.series({ ...this.#labels, operation, rejected: String(rejected) })
    known[operation].observe(ms / 1000)
  }
}

export class PodSecurityMetrics {
  readonly #evaluations: CountFamily
  readonly #exemptions: CountFamily
  readonly #errors: CountFamily
  readonly #series = new Map<string, Count>()

  constructor(registry: Registry) {
    this.#evaluations = new CountFamily(
      registry,
      'pod_security_evaluations_total',
      'Number of policy evaluations that occurred, not counting ignored or exempt requests.',
    )
    this.#exemptions = new CountFamily(
      registry,
      'pod_security_exemptions_total',
      'Number of exempt requests, not counting ignored or out of scope requests.',
    )
    this.#errors = new CountFamily(
      registry,
      'pod_security_errors_total',
      'Number of errors preventing normal evaluation. Non-fatal errors may result in the latest restricted profile being used for evaluation.',
    )
  }

  countEvaluation(
    attributes: AdmissionAttributes,
    mode: keyof Policy,
    policy: LevelVersion,
    decision: 'allow' | 'deny',
  ): void {
    this.#add(this.#evaluations, {
      decision,
      policy_level: policy.level,
      policy_version: policy.level === 'privileged' ? 'latest' : isFuture(policy) ? 'future' : formatVersion(policy),
      mode,
      ...requestLabels(attributes),
    })
  }

  countExemption(attributes: AdmissionAttributes): void {
    this.#add(this.#exemptions, requestLabels(attributes))
  }

  /** Fatal ones end the evaluation. */
  countError(attributes: AdmissionAttributes, fatal: boolean): void {
    this.#add(this.#errors, { fatal: String(fatal), ...requestLabels(attributes) })
  }

  #add(family: CountFamily, labels: Labels): void {
    const key = `${family.name} ${Object.values(labels).join(' ')}`
    let count = this.#series.get(key)
    if (count === undefined) this.#series.set(key, (count = family.series(labels)))
    count.add()
  }
}

function requestLabels({ operation, kind, subresource }: AdmissionAttributes): Labels {
  const isPod = kind.group === '' && kind.resource === 'pods'
  return { request_operation: operation.toLowerCase(), resource: isPod ? 'pod' : 'controller', subresource }
}
