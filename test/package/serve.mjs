// Serves the packages of build/packages: prints the address of the registry. The argument is the package.json that was packed.
import { readFileSync } from 'node:fs'
import { manifests, registry } from './registry.mjs'

const packed = JSON.parse(readFileSync(process.argv[2], 'utf8'))
console.log((await registry(manifests(() => packed))).address)
