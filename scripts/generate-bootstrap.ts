/** Turns the facts of what a new API server creates by itself into the compact data that ours creates. Usage: generate-bootstrap.ts FACTS_FOLDER */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

type Fact = {
  apiVersion: string
  kind: string
  metadata: { name: string; namespace?: string; managedFields?: unknown; generation?: number }
  status?: unknown
}

/** Made by hand where they depend on the cluster (addresses, certificates, dates), or owned by another part of the server. */
const MADE_ELSEWHERE = new Set(['APIService', 'ComponentStatus', 'ConfigMap', 'IPAddress', 'ServiceCIDR', 'Service'])

const facts = process.argv[2]
if (facts === undefined) throw new Error('usage: generate-bootstrap.ts FACTS_FOLDER')
const objects = JSON.parse(readFileSync(join(facts, 'bootstrap', 'apiserver.json'), 'utf8')) as Fact[]
const kept = objects
  .filter(({ kind }) => !MADE_ELSEWHERE.has(kind))
  .map(({ status: _status, ...object }) => {
    const { managedFields: _managed, generation: _generation, ...metadata } = object.metadata
    return { ...object, metadata }
  })
const target = join(import.meta.dirname, '../src/control-plane/apiserver/bootstrap/objects.gen.json')
writeFileSync(target, `[\n${kept.map((object) => JSON.stringify(object)).join(',\n')}\n]\n`)
