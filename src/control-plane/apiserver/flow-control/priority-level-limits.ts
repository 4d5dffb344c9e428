/** The seats that each priority level has by its configuration: nominally, at least, at most. Pure. */
import type { PriorityLevelConfiguration } from '#api/flowcontrol/v1.gen.ts'

export type LevelLimits = {
  readonly nominal: number
  readonly lower: number
  readonly upper: number
  /** What one request may take at most; 0 where there are no queues. */
  readonly requestMax: number
}

/** Upstream's share of a level that one request may take. */
const REQUEST_SHARE = 0.15
const SHARES_DEFAULT = 30

export function computeLimits(
  levels: readonly PriorityLevelConfiguration[],
  serverSeats: number,
): Map<string, LevelLimits> {
  const shares = levels.reduce((sum, level) => sum + sharesOf(level), 0)
  return new Map(levels.map((level) => [level.metadata.name, limitsOf(level, serverSeats, shares)]))
}

function sharesOf({ spec }: PriorityLevelConfiguration): number {
  if (spec.exempt !== undefined) return spec.exempt.nominalConcurrencyShares ?? 0
  return spec.limited?.nominalConcurrencyShares ?? SHARES_DEFAULT
}

function limitsOf(level: PriorityLevelConfiguration, serverSeats: number, allShares: number): LevelLimits {
  const { limited, exempt } = level.spec
  const nominal = allShares === 0 ? 0 : Math.ceil((serverSeats * sharesOf(level)) / allShares)
  const lendable = Math.round((nominal * ((limited ?? exempt)?.lendablePercent ?? 0)) / 100)
  const percent = limited?.borrowingLimitPercent
  const borrowing = percent === undefined || percent === null ? serverSeats : Math.round((nominal * percent) / 100)
  const handSize = limited?.limitResponse?.queuing?.handSize
  const requestMax =
    handSize === undefined
      ? 0
      : Math.max(1, Math.min(Math.ceil(nominal * REQUEST_SHARE), Math.floor(nominal / handSize)))
  return { nominal, lower: nominal - lendable, upper: nominal + borrowing, requestMax }
}

/** Why upstream would leave such a level out; null when it is whole. */
export function levelProblem({ metadata, spec }: PriorityLevelConfiguration): string | null {
  const { type, limited, exempt } = spec
  if ((type === 'Limited') !== (limited !== undefined)) return 'broken union structure at the top, for Limited'
  if ((type === 'Exempt') !== (exempt !== undefined)) return 'broken union structure at the top, for Exempt'
  if ((type === 'Exempt') !== (metadata.name === 'exempt')) return 'non-alignment between name and type'
  const response = limited?.limitResponse
  if (response !== undefined && (response.type === 'Reject') !== (response.queuing === undefined))
    return 'broken union structure for limit response'
  return null
}
