/** What a write carries from the request to the store: who, how, and whether it is only a rehearsal. */
import type { StrategyContext } from '#api/kind.ts'
import type { UserInfo } from '../request.ts'

export type WriteContext = {
  readonly user: UserInfo
  readonly namespace: string
  readonly name: string
  readonly subresource: string
  readonly dryRun: boolean
  /** Name under which the writer owns fields. */
  readonly fieldManager: string
  readonly strategy: StrategyContext
  /** For the audit log. */
  readonly annotate: (key: string, value: string) => void
  /** Admission has seen the request in another form: as an eviction, a binding. */
  readonly isAdmitted?: boolean
}
