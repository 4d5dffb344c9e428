/** Reads the API server's flags about admission, and the files they name. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readAdmissionConfiguration } from '#control-plane/apiserver/admission/configuration.ts'
import { PLUGIN_NAMES, type AdmissionSettings } from '#control-plane/apiserver/admission/index.ts'
import { selectionProblems } from '#control-plane/apiserver/admission/selection.ts'
import { FlagError } from './flags.ts'

export type AdmissionFlags = {
  readonly enabled: readonly string[]
  readonly disabled: readonly string[]
  /** Empty for none. */
  readonly configurationFile: string
  readonly notReadySeconds: number
  readonly unreachableSeconds: number
}

const CONFIG_FLAG = 'admission-control-config-file'

export async function readAdmissionFlags(flags: AdmissionFlags): Promise<AdmissionSettings> {
  const selection = { enabled: flags.enabled, disabled: flags.disabled }
  const problems = selectionProblems(selection, PLUGIN_NAMES)
  if (problems.length > 0) throw new FlagError(problems.join(', '))
  return {
    ...selection,
    tolerationSeconds: {
      notReady: flags.notReadySeconds,
      unreachable: flags.unreachableSeconds,
    },
    ...(flags.configurationFile === '' ? {} : { configurations: await readConfigurations(flags.configurationFile) }),
  }
}

async function readConfigurations(path: string) {
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    throw new FlagError(
      `unable to read admission control configuration from ${JSON.stringify(path)} [${error.message}]`,
    )
  })
  // A part's path is relative to the file that names it.
  const readPart = (part: string): Promise<string> => readFile(resolve(dirname(path), part), 'utf8')
  return readAdmissionConfiguration(text, readPart).catch((error: Error) => {
    throw new FlagError(`--${CONFIG_FLAG}: failed to read plugin config: ${error.message}`)
  })
}
