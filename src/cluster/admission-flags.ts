/** Reads the API server's flags about admission, and the files they name. */
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { readAdmissionConfiguration } from '#control-plane/apiserver/admission/configuration.ts'
import { PLUGIN_NAMES, type AdmissionSettings } from '#control-plane/apiserver/admission/index.ts'
import { selectionProblems } from '#control-plane/apiserver/admission/selection.ts'
import { FlagError, wholeNumber } from './flags.ts'

export type AdmissionFlags = {
  /** Each a list of names with commas between them. */
  readonly enabled: readonly string[]
  readonly disabled: readonly string[]
  /** Empty for none. */
  readonly configurationFile: string
  readonly notReadySeconds: string
  readonly unreachableSeconds: string
}

const CONFIG_FLAG = 'admission-control-config-file'

export async function readAdmissionFlags(flags: AdmissionFlags): Promise<AdmissionSettings> {
  const selection = { enabled: splitNames(flags.enabled), disabled: splitNames(flags.disabled) }
  const problems = selectionProblems(selection, PLUGIN_NAMES)
  if (problems.length > 0) throw new FlagError(problems.join(', '))
  return {
    ...selection,
    tolerationSeconds: {
      notReady: wholeNumber('default-not-ready-toleration-seconds', flags.notReadySeconds),
      unreachable: wholeNumber('default-unreachable-toleration-seconds', flags.unreachableSeconds),
    },
    ...(flags.configurationFile === '' ? {} : { configurations: await readConfigurations(flags.configurationFile) }),
  }
}

const splitNames = (values: readonly string[]): string[] =>
  values.flatMap((value) => (value === '' ? [] : value.split(',')))

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
