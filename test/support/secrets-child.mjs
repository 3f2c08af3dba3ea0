// A submitter that knows secrets, in a process of its own, which prints all that there is to see of it:
// `node secrets-child.mjs '{"refused":[…],"options":{…},"keyFile":…,"count":20}'`.
import { inspect } from 'node:util'
import { record, report, u64 } from 'velox-engine'
import { createSubmitter, keypairFile, memoTemplate } from 'velox-engine/solana'

const o = JSON.parse(process.argv[2])
const everything = { depth: 9, showHidden: true, maxArrayLength: null, maxStringLength: null }
const print = (...values) => {
  for (const value of values) console.log(inspect(value, everything))
}
const Order = record('Order', { id: u64 })
const signer = keypairFile(o.keyFile)
const template = memoTemplate({ signer, record: Order, tip: o.options.jito !== undefined })
const common = { template, signer, limits: { maxLamports: 10n ** 9n }, pollMillis: 50, resendMillis: 100 }

for (const wrong of o.refused) {
  await createSubmitter({ ...common, ...o.options, ...wrong }).then(
    () => {
      throw new Error('it was not refused')
    },
    (error) => {
      print(error)
      console.error(error)
    },
  )
}

const submitter = await createSubmitter({ ...common, ...o.options })
const reading = (async () => {
  for await (const state of submitter.outcomes({ all: true })) {
    print(state)
    for (const error of [state.error, state.error?.cause].filter((one) => one))
      console.error(error, String(error), error.stack, error.toJSON?.(), JSON.stringify(error.context))
  }
})()
const exporter = report([submitter.metrics], { everyMillis: 50, export: (...values) => print(values) })
print(submitter, submitter.stats(), signer, template, submitter.metrics)
const outcomes = await Promise.all(Array.from({ length: o.count }, (_, id) => submitter.submit([{ id }])))
print(submitter, outcomes.flat(), submitter.stats(), submitter.metrics.snapshot())
submitter.halt('enough')
print(await submitter.submit([{ id: o.count }]))
submitter.resume()
const lost = submitter.submit([{ id: o.count + 1 }])
await exporter.close()
await submitter.close({ timeoutMillis: 0 })
await reading
await lost.catch((error) => print(error))
print(submitter, submitter.stats())
// What nobody catches is printed by Node.
await submitter.submit([{ id: o.count + 2 }])
