/** Which container of a pod a request for logs, exec or attach means. */
import type { Pod } from '#api/core/v1.gen.ts'
import { badRequest } from '#machinery/status-error.ts'

export function chooseContainer(pod: Pod, wanted: string): string {
  const names = (containers: readonly { name: string }[] | undefined): string[] =>
    (containers ?? []).map(({ name }) => name)
  const regular = names(pod.spec?.containers)
  const init = names(pod.spec?.initContainers)
  const ephemeral = names(pod.spec?.ephemeralContainers)
  const podName = pod.metadata.name
  if (wanted !== '') {
    if ([...regular, ...init, ...ephemeral].includes(wanted)) return wanted
    throw badRequest(`container ${wanted} is not valid for pod ${podName}`)
  }
  if (regular.length === 1) return regular[0]!
  if (regular.length === 0) throw badRequest(`a container name must be specified for pod ${podName}`)
  const initPart = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`
  const ephemeralPart = ephemeral.length === 0 ? '' : ` or one of the ephemeral containers: [${ephemeral.join(' ')}]`
  throw badRequest(
    `a container name must be specified for pod ${podName}, choose one of: [${regular.join(' ')}]${initPart}${ephemeralPart}`,
  )
}
