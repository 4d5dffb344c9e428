/** What the runtime says about one pod: its sandboxes and containers, newest first. */
import type { ContainerDetail, RuntimeService, Sandbox } from '../runtime/runtime-service.ts'

export type PodState = {
  readonly sandboxes: readonly Sandbox[]
  readonly containers: readonly ContainerDetail[]
}

export const EMPTY_STATE: PodState = { sandboxes: [], containers: [] }

/** Four to five short calls; the list calls are filtered by the runtime. */
export async function readPodState(runtime: RuntimeService, podUid: string): Promise<PodState> {
  const [listed, records] = await Promise.all([runtime.listPodSandboxes(podUid), runtime.listContainers(podUid)])
  listed.sort((a, b) => b.createdAtMs - a.createdAtMs || b.attempt - a.attempt)
  const [sandboxes, details] = await Promise.all([
    Promise.all(listed.map(async (sandbox) => (await runtime.podSandboxStatus(sandbox.id)) ?? sandbox)),
    Promise.all(
      records.map(async (record) => {
        const detail = await runtime.containerStatus(record.id)
        return detail && { ...detail, sandboxId: record.sandboxId }
      }),
    ),
  ])
  const containers = details.filter((detail) => detail !== null)
  containers.sort((a, b) => b.attempt - a.attempt || b.createdAtMs - a.createdAtMs)
  return { sandboxes, containers }
}

/** The newest container of that name, running or not. */
export function newestOf(state: PodState, name: string): ContainerDetail | undefined {
  return state.containers.find((container) => container.name === name)
}

/** The newest container of that name in the sandbox that is in use. */
export function activeOf(state: PodState, name: string): ContainerDetail | undefined {
  const sandboxId = state.sandboxes[0]?.id
  return state.containers.find((container) => container.name === name && container.sandboxId === sandboxId)
}

export async function newestReadySandbox(runtime: RuntimeService, podUid: string): Promise<Sandbox | null> {
  const sandboxes = await runtime.listPodSandboxes(podUid)
  return sandboxes.filter(({ ready }) => ready).sort((a, b) => b.createdAtMs - a.createdAtMs)[0] ?? null
}
