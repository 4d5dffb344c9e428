/** How writes of role bindings are completed and checked, in a namespace and in the whole cluster. */
import type { ClusterRoleBinding, RoleBinding, Subject } from '#api/rbac/v1.gen.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { checkDnsSubdomain, checkText } from '#api/validation.ts'
import { type FieldError, invalidValue, notSupported, notSupportedInOrder, required } from '#machinery/field-error.ts'
import { isPathSegmentName } from '#machinery/validation/names.ts'

const GROUP = 'rbac.authorization.k8s.io'

type Binding = RoleBinding | ClusterRoleBinding

export function bindingStrategy<T extends Binding>(roleKinds: readonly string[]): Strategy<T> {
  // A cluster-wide binding has no namespace to take service accounts from.
  const isNamespaced = roleKinds.includes('Role')
  const check = (binding: T): FieldError[] => validateBinding(binding, { roleKinds, isNamespaced })
  return {
    allowCreateOnUpdate: true,
    setDefaults,
    validate: check,
    validateUpdate(binding, old) {
      if (isSemanticallyEqual(binding.roleRef, old.roleRef)) return check(binding)
      return [...check(binding), invalidValue('roleRef', binding.roleRef, 'field is immutable')]
    },
  }
}

function setDefaults({ roleRef, subjects = [] }: Binding): void {
  if (roleRef !== undefined) roleRef.apiGroup ||= GROUP
  for (const subject of subjects) if (subject.kind === 'User' || subject.kind === 'Group') subject.apiGroup ||= GROUP
}

type BindingRules = { readonly roleKinds: readonly string[]; readonly isNamespaced: boolean }

function validateBinding({ roleRef, subjects = [] }: Binding, { roleKinds, isNamespaced }: BindingRules): FieldError[] {
  const errors: FieldError[] = []
  const { apiGroup = '', kind = '', name = '' } = roleRef ?? {}
  if (apiGroup !== GROUP) errors.push(notSupported('roleRef.apiGroup', apiGroup, [GROUP]))
  if (!roleKinds.includes(kind)) errors.push(notSupportedInOrder('roleRef.kind', kind, roleKinds))
  if (name === '') errors.push(required('roleRef.name'))
  else checkText(errors, 'roleRef.name', name, isPathSegmentName)
  for (const [i, subject] of subjects.entries()) validateSubject(errors, `subjects[${i}]`, subject, isNamespaced)
  return errors
}

function validateSubject(errors: FieldError[], path: string, subject: Subject, isNamespaced: boolean): void {
  const { kind = '', name = '', namespace = '', apiGroup = '' } = subject
  if (name === '') errors.push(required(`${path}.name`))
  if (kind === 'ServiceAccount') {
    if (name !== '') checkDnsSubdomain(errors, `${path}.name`, name)
    if (apiGroup !== '') errors.push(notSupported(`${path}.apiGroup`, apiGroup, ['']))
    if (!isNamespaced && namespace === '') errors.push(required(`${path}.namespace`))
  } else if (kind === 'User' || kind === 'Group') {
    if (apiGroup !== GROUP) errors.push(notSupported(`${path}.apiGroup`, apiGroup, [GROUP]))
  } else errors.push(notSupportedInOrder(`${path}.kind`, kind, ['ServiceAccount', 'User', 'Group']))
}
