/** Which features of Kubernetes are on in a component: the defaults of the version, and what `--feature-gates` says. */
import { FEATURE_GATES } from './feature-gates.gen.ts'

export type FeatureGate = keyof typeof FEATURE_GATES
export type FeatureStage = 'ALPHA' | 'BETA' | 'GA' | 'DEPRECATED'

export type FeatureGateState = { readonly name: FeatureGate; readonly stage: FeatureStage; readonly enabled: boolean }

/** The resolved gates of one component; they never change while it runs. */
export interface FeatureGates {
  isEnabled(gate: FeatureGate): boolean
  /** All of them by name, for metrics and for whoever asks what is on. */
  all(): readonly FeatureGateState[]
  /** What was asked for by name, AllAlpha and AllBeta among it. */
  requested(): ReadonlyMap<FeatureGate, boolean>
}

/** A gate that is not known, or cannot be set so; the message is upstream's. */
export class FeatureGateError extends Error {}

type GateRule = {
  readonly stage: FeatureStage
  readonly default: boolean
  readonly locked?: boolean
  readonly dependsOn?: readonly FeatureGate[]
}

const RULES: Readonly<Record<FeatureGate, GateRule>> = FEATURE_GATES
const NAMES = Object.keys(FEATURE_GATES) as FeatureGate[]

/** The gates that stand for all others of a stage. */
const STAGE_OF_ALL: Partial<Record<FeatureGate, FeatureStage>> = { AllAlpha: 'ALPHA', AllBeta: 'BETA' }

export function isFeatureGate(name: string): name is FeatureGate {
  return Object.hasOwn(FEATURE_GATES, name)
}

export function stageOf(gate: FeatureGate): FeatureStage {
  return RULES[gate].stage
}

export function defaultOf(gate: FeatureGate): boolean {
  return RULES[gate].default
}

/** The gates that must be on for this one. */
export function dependenciesOf(gate: FeatureGate): readonly FeatureGate[] {
  return RULES[gate].dependsOn ?? []
}

/** The gates that result from values set by name. Throws FeatureGateError. */
export function resolveFeatureGates(requested: ReadonlyMap<string, boolean>): FeatureGates {
  const known = checkRequested(requested)
  const enabled = new Map<FeatureGate, boolean>()
  for (const name of NAMES) enabled.set(name, valueOf(name, known))
  checkDependencies(enabled)
  return {
    isEnabled: (gate) => enabled.get(gate)!,
    all: () => NAMES.map((name) => ({ name, stage: RULES[name].stage, enabled: enabled.get(name)! })),
    requested: () => known,
  }
}

export const DEFAULT_FEATURE_GATES: FeatureGates = resolveFeatureGates(new Map())

function checkRequested(requested: ReadonlyMap<string, boolean>): Map<FeatureGate, boolean> {
  const known = new Map<FeatureGate, boolean>()
  const errors: string[] = []
  for (const [name, value] of requested) {
    if (!isFeatureGate(name)) throw aggregate([...errors, `unrecognized feature gate: ${name}`])
    const rule = RULES[name]
    if (rule.locked === true && rule.default !== value)
      errors.push(`cannot set feature gate ${name} to ${value}, feature is locked to ${rule.default}`)
    else known.set(name, value)
  }
  if (errors.length > 0) throw aggregate(errors)
  return known
}

/** A gate's own value goes before that of its stage. */
function valueOf(name: FeatureGate, requested: ReadonlyMap<FeatureGate, boolean>): boolean {
  const own = requested.get(name)
  if (own !== undefined || STAGE_OF_ALL[name] !== undefined) return own ?? RULES[name].default
  const { stage, default: byDefault } = RULES[name]
  const all = (Object.keys(STAGE_OF_ALL) as FeatureGate[]).find((gate) => STAGE_OF_ALL[gate] === stage)
  return (all === undefined ? undefined : requested.get(all)) ?? byDefault
}

function checkDependencies(enabled: ReadonlyMap<FeatureGate, boolean>): void {
  const errors: string[] = []
  for (const name of NAMES) {
    if (enabled.get(name) !== true) continue
    const missing = dependenciesOf(name).filter((gate) => enabled.get(gate) !== true)
    if (missing.length > 0)
      errors.push(`${name} is enabled, but depends on features that are disabled: [${missing.join(' ')}]`)
  }
  if (errors.length > 0) throw aggregate(errors)
}

/** Upstream joins several errors in brackets, each text once. */
function aggregate(errors: readonly string[]): FeatureGateError {
  const texts = [...new Set(errors)]
  return new FeatureGateError(texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`)
}
