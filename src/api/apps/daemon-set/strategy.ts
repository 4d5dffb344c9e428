/** How writes of DaemonSets are prepared and checked. */
import type { DaemonSet } from '#api/apps/v1.gen.ts'
import { isSemanticallyEqual } from '#api/semantic-equal.ts'
import { workloadStrategy } from '#api/workload/strategy.ts'
import { setDaemonSetDefaults } from './defaults.ts'
import { setTemplateGeneration, templateGenerationOf } from './template-generation.ts'
import { validateDaemonSet, validateDaemonSetStatus } from './validation.ts'

export const daemonSetStrategy = workloadStrategy<DaemonSet>({
  template: ({ spec }) => spec.template,
  templatePath: 'spec.template',
  namesPods: false,
  setDefaults(daemonSet) {
    setDaemonSetDefaults(daemonSet)
    // Upstream's conversion writes it, so that it belongs to whoever creates the object.
    setTemplateGeneration(daemonSet, templateGenerationOf(daemonSet))
  },
  prepareForCreate(daemonSet) {
    setTemplateGeneration(daemonSet, Math.max(1, templateGenerationOf(daemonSet)))
  },
  prepareForUpdate(daemonSet, old) {
    const isSame = isSemanticallyEqual(daemonSet.spec.template, old.spec.template)
    setTemplateGeneration(daemonSet, templateGenerationOf(old) + (isSame ? 0 : 1))
  },
  prepareStatus: (daemonSet, old) => setTemplateGeneration(daemonSet, templateGenerationOf(old)),
  validateSpec: validateDaemonSet,
  validateStatus: validateDaemonSetStatus,
})
