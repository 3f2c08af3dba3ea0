// Records become a signed transaction: by the package alone, without @solana/kit.
import { generateKeyPairSync, verify } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { keypairFile, memoTemplate } from 'velox-engine/solana'

const { privateKey, publicKey } = generateKeyPairSync('ed25519')
const secret = privateKey.export({ format: 'der', type: 'pkcs8' }).subarray(16)
const address = publicKey.export({ format: 'der', type: 'spki' }).subarray(12)
writeFileSync('key.json', JSON.stringify([...secret, ...address]), { mode: 0o600 })

const template = memoTemplate({ signer: keypairFile('key.json'), packing: 2, tip: false })
const order = { id: 7, price: 618_003, size: 100, side: 'bid', instrument: 1, ingressTsNs: 5n }
const context = {
  blockhash: 'EkSnNWid2cvwEVnVx9aBqawnmiCNiDgp3gUdkDPTKN1N',
  lastValidBlockHeight: 1n,
  computeUnitPrice: 0n,
}
const [signed] = await template.build([order, { ...order, id: 8 }], context)
// One signature, and the message that it is of.
const wire = Buffer.from(signed.wire)
const isSigned = verify(null, wire.subarray(65), publicKey, wire.subarray(1, 65))
console.log(signed.records, wire.includes('8,618003,100,bid,1,5'), isSigned)
