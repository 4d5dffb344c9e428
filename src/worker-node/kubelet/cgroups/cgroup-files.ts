/** Reads the files of control groups. */
import { readFile } from 'node:fs/promises'

/** Null for a group that is gone; `max` is Infinity. */
export async function readNumber(path: string): Promise<number | null> {
  const text = await readOrNull(path)
  return text === null ? null : text.trim() === 'max' ? Infinity : Number(text)
}

/** `name value` a line. */
export async function readCountersOrNull(path: string): Promise<Record<string, number> | null> {
  const text = await readOrNull(path)
  if (text === null) return null
  const pairs = text.split('\n').map((line): [string, number] => {
    const [name = '', value = '0'] = line.split(' ')
    return [name, Number(value)]
  })
  return Object.fromEntries(pairs)
}

async function readOrNull(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENODEV') return null
    throw error
  }
}
