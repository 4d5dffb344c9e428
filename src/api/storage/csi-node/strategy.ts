/** How CSINodes are prepared and checked. */
import { validateCsiDriverName } from '#api/core/pod-spec/storage-volumes.ts'
import type { Strategy } from '#api/kind.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import type { CSINode, CSINodeDriver } from '#api/storage/v1.gen.ts'
import { specStatusStrategy } from '#api/strategies.ts'
import { checkNonNegative, checkQualifiedName } from '#api/validation.ts'
import { duplicate, type FieldError, invalidValue, required } from '#machinery/field-error.ts'

const NODE_ID_LENGTH_MAX = 256

const base = specStatusStrategy<CSINode>({ generation: false, resetsMetaForStatus: true })

export const csiNodeStrategy: Strategy<CSINode> = {
  ...base,
  prepareForUpdate(node, old, context) {
    base.prepareForUpdate(node, old, context)
    if (context.subresource !== 'status' || context.features.isEnabled('CSIVolumeHealth')) return
    if ((old.status?.storageHealth ?? []).length === 0) delete node.status?.storageHealth
  },
  requireResourceVersion: true,
  validate: validateNode,
  validateUpdate(node, old, { subresource }) {
    if (subresource === 'status') return []
    const errors = validateNode(node)
    for (const driver of node.spec.drivers ?? []) {
      const before = (old.spec.drivers ?? []).find(({ name }) => name === driver.name)
      if (before !== undefined && !isSemanticallyEqual(withoutCount(driver), withoutCount(before)))
        errors.push(invalidValue('spec.drivers', withoutCount(driver), 'field is immutable'))
    }
    return errors
  },
}

/** How many volumes a driver can attach may change. */
function withoutCount(driver: CSINodeDriver): Partial<CSINodeDriver> {
  const { allocatable: _, ...fixed } = driver
  return fixed
}

function validateNode({ spec }: CSINode): FieldError[] {
  const errors: FieldError[] = []
  const names = new Set<string>()
  for (const [i, driver] of (spec.drivers ?? []).entries()) {
    const path = `spec.drivers[${i}]`
    validateDriver(errors, path, driver)
    if (names.has(driver.name)) errors.push(duplicate(`${path}.name`, driver.name))
    names.add(driver.name)
    validateTopologyKeys(errors, path, driver.topologyKeys ?? [])
  }
  return errors
}

function validateDriver(
  errors: FieldError[],
  path: string,
  { name = '', nodeID = '', allocatable }: CSINodeDriver,
): void {
  validateCsiDriverName(errors, name, `${path}.name`)
  if (nodeID === '') errors.push(required(`${path}.nodeID`))
  if (nodeID.length > NODE_ID_LENGTH_MAX)
    errors.push(invalidValue(`${path}.nodeID`, nodeID, `must be ${NODE_ID_LENGTH_MAX} characters or less`))
  checkNonNegative(errors, `${path}.allocatable.count`, allocatable?.count)
}

/** Upstream reports all of them at the driver itself. */
function validateTopologyKeys(errors: FieldError[], path: string, keys: readonly string[]): void {
  for (const [i, key] of keys.entries()) {
    if (key === '') errors.push(required(path))
    if (keys.indexOf(key) < i) errors.push(duplicate(path, key))
    checkQualifiedName(errors, path, key)
  }
}
