/** Who a role binding grants to, as tables show it. */
import type { Subject } from '#api/rbac/v1.gen.ts'

/** The wide cells Users, Groups and ServiceAccounts. */
export function subjectCells(subjects: readonly Subject[] | undefined): [string, string, string] {
  const names = { User: [] as string[], Group: [] as string[], ServiceAccount: [] as string[] }
  for (const { kind, name, namespace = '' } of subjects ?? []) {
    if (kind === 'ServiceAccount') names.ServiceAccount.push(`${namespace}/${name}`)
    else if (kind === 'User' || kind === 'Group') names[kind].push(name)
  }
  return [names.User.join(', '), names.Group.join(', '), names.ServiceAccount.join(', ')]
}
